package quota

import (
	"fmt"
	"strconv"

	"github.com/rohrpost/rohrpost/internal/lua"
)

// read is what add.lua and ask.lua answer.
func read(call *lua.Call) (waiting Amount, verdicts string, err error) {
	val, err := call.Result()
	if err != nil {
		return Amount{}, "", err
	}
	fields, _ := val.([]any)
	if len(fields) < 2 {
		return Amount{}, "", fmt.Errorf("quota: redis answered %T", val)
	}
	waiting.Mails, _ = fields[0].(int64)
	waiting.Bytes, _ = fields[1].(int64)
	if len(fields) > 2 {
		verdicts, _ = fields[2].(string)
	}
	return waiting, verdicts, nil
}

// number is 0 for what is none: the next correction mends it.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

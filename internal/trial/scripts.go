package trial

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed take.lua
	takeSource string
	//go:embed look.lua
	lookSource string
	//go:embed withdraw.lua
	withdrawSource string
)

var (
	takeScript     = redis.NewScript(takeSource)
	lookScript     = redis.NewScript(lookSource)
	withdrawScript = redis.NewScript(withdrawSource)
)

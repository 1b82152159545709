package errorlog

import (
	"cmp"
	"strconv"
	"strings"
)

// A streamID is the parsed id of a stream entry.
type streamID struct{ ms, seq uint64 }

// parseStreamID reads an id as Redis writes it. Anything else is the zero id.
func parseStreamID(s string) streamID {
	ms, seq, _ := strings.Cut(s, "-")
	var id streamID
	id.ms, _ = strconv.ParseUint(ms, 10, 64)
	id.seq, _ = strconv.ParseUint(seq, 10, 64)
	return id
}

func (id streamID) String() string {
	return strconv.FormatUint(id.ms, 10) + "-" + strconv.FormatUint(id.seq, 10)
}

func (id streamID) compare(other streamID) int {
	return cmp.Or(cmp.Compare(id.ms, other.ms), cmp.Compare(id.seq, other.seq))
}

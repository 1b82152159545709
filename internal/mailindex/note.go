package mailindex

import (
	_ "embed"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
)

//go:embed note.lua
var noteSource string

var noteScript = redis.NewScript(noteSource)

// states are those of a job. The place of each is stored: new ones go to the end.
func states() []rohrpost.State {
	return []rohrpost.State{
		rohrpost.Scheduled, rohrpost.Queued, rohrpost.Sending, rohrpost.Deferred, rohrpost.Parked, rohrpost.Accepted, rohrpost.Partly,
		rohrpost.Failed, rohrpost.Uncertain, rohrpost.Expired, rohrpost.Canceled, rohrpost.Bounced,
	}
}

// stateWidth is what lies between the scores of two states: no Unix ms before the year
// 2500 is as large.
const stateWidth = 1 << 44

// score is that of an entry in a state; below 0: there is no such state.
func score(state rohrpost.State, ms int64) int64 {
	return int64(slices.Index(states(), state))*stateWidth + ms
}

// A Note says that a mail is in a state, and when its record ends.
type Note struct {
	Mail
	State rohrpost.State
	Ends  time.Time
}

// mostNotes is how many notes one script call writes: 5,000 take it some 30 ms.
const mostNotes = 500

// Note appends notes of one tenant to a batch. It writes nothing while the key is not
// Known, and answers with the calls it has made.
func (x *Index) Note(b *lua.Batch, tenant string, notes []Note) []*lua.Call {
	p := x.printer(tenant)
	if p == nil {
		return nil
	}
	var calls []*lua.Call
	now := x.now().UnixMilli()
	for part := range slices.Chunk(notes, mostNotes) {
		args := make([]any, 1, 1+3*len(part))
		args[0] = now
		for i := range part {
			n := &part[i]
			if at := score(n.State, n.EnqueuedAt.UnixMilli()); at >= 0 {
				args = append(args, strconv.FormatInt(at, 10), n.Ends.UnixMilli(), p.appendEntry(nil, &n.Mail))
			}
		}
		calls = append(calls, b.Call(noteScript, noteKeys(tenant), args...))
	}
	return calls
}

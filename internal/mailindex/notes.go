package mailindex

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
)

// notesPage is how many notes of a state are read at once.
const notesPage = 500

// A stack is the notes of one state, the newest on top.
type stack struct {
	state rohrpost.State
	// Beneath what was read: entries up to this time, but for so many of that very time.
	ms   int64
	skip int
	read []string
	last bool // nothing is beneath
}

// notes goes through the notes of some states together, the newest entry first.
func (w *walker) notes(ctx context.Context, of []rohrpost.State, to int64) error {
	if w.at.member != "" {
		to = min(to, entry(w.at.member).ms())
	}
	w.at.notes = true
	before := w.at.member
	stacks := make([]*stack, len(of))
	for i, state := range of {
		stacks[i] = &stack{state: state, ms: to}
	}
	for {
		if err := w.fill(ctx, stacks); err != nil {
			return err
		}
		var top *stack
		for _, s := range stacks {
			if len(s.read) > 0 && (top == nil || s.read[0] > top.read[0]) {
				top = s
			}
		}
		if top == nil {
			return nil
		}
		member := top.read[0]
		top.read = top.read[1:]
		if before != "" && member >= before {
			continue
		}
		if !w.show(entry(member), Cursor{notes: true, member: member}) {
			return nil
		}
	}
}

// fill reads on where a stack has nothing left of what was read. Entries begin with their
// time, so that they are in its order, and of a time in the order of Redis.
func (w *walker) fill(ctx context.Context, stacks []*stack) error {
	pipe := w.index.rdb.Pipeline()
	cmds := map[*stack]*redis.StringSliceCmd{}
	for _, s := range stacks {
		if len(s.read) > 0 || s.last || s.ms < w.from {
			continue
		}
		cmds[s] = pipe.ZRevRangeByScore(ctx, noteKeys(w.tenant)[0], &redis.ZRangeBy{
			Max: scoreText(s.state, s.ms), Min: scoreText(s.state, w.from), Offset: int64(s.skip), Count: notesPage,
		})
	}
	if len(cmds) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for s, c := range cmds {
		s.take(c.Val())
	}
	return nil
}

// take puts a page that was read onto an empty stack.
func (s *stack) take(page []string) {
	s.last = len(page) < notesPage
	for _, member := range page {
		e := entry(member)
		if !e.sound() {
			s.skip++ // not written by us
			continue
		}
		if ms := e.ms(); ms != s.ms {
			s.ms, s.skip = ms, 0
		}
		s.skip++
		s.read = append(s.read, member)
	}
}

func scoreText(state rohrpost.State, ms int64) string {
	return strconv.FormatInt(score(state, min(ms, stateWidth-1)), 10)
}

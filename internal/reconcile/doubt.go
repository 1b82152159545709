package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost/internal/payload"
)

const (
	maxSuspects = 1000   // that wait for their first look
	maxDoubts   = 10_000 // that wait for their second look: some 2 MB
)

// A suspect is a mail that was seen to be out of order in passing.
type suspect struct {
	key    payload.Key
	entry  *entry // in which it was found, if that is suspect
	surely bool   // only an exact look sees it
}

// A doubt is a suspect as it was at the first look.
type doubt struct {
	suspect
	mark string
}

func (w *walk) suspect(s suspect) { w.suspects = append(w.suspects, s) }

// weigh takes a first look at the suspects if there are many, or all is set. Most of
// them have just moved.
func (w *walk) weigh(ctx context.Context, all bool) error {
	if !all && len(w.suspects) < maxSuspects {
		return nil
	}
	suspects := unique(w.suspects)
	w.suspects = nil
	for _, part := range parts(suspects, page) {
		views := viewsOf(part)
		if err := w.look(ctx, views, false); err != nil {
			return err
		}
		for k, v := range views {
			mark := v.mark()
			if w.cheaply(v) || part[k].surely {
				w.doubts = append(w.doubts, doubt{part[k], mark})
			}
		}
	}
	if len(w.doubts) >= maxDoubts {
		return w.confirm(ctx)
	}
	return nil
}

// unique merges what was seen of the same mail in several passes.
func unique(suspects []suspect) []suspect {
	rank := func(s suspect) int {
		if s.surely {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(suspects, func(a, b suspect) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(rank(a), rank(b))) })
	return slices.CompactFunc(suspects, func(a, b suspect) bool { return a.key == b.key && b.entry == nil })
}

// verify deals with the suspects and doubts that are left.
func (w *walk) verify(ctx context.Context) error {
	if err := w.weigh(ctx, true); err != nil || len(w.doubts) == 0 {
		return err
	}
	return w.confirm(ctx)
}

// confirm takes a second look, after a pause, at mails in doubt. It reads the tasks
// first and the records afterwards: a record that is still that of the first look
// was the same when the tasks were read.
func (w *walk) confirm(ctx context.Context) error {
	if err := wait(ctx, w.pause); err != nil {
		return err
	}
	doubts := w.doubts
	w.doubts = nil
	for _, part := range parts(doubts, page) {
		suspects := make([]suspect, len(part))
		for k, d := range part {
			suspects[k] = d.suspect
		}
		views := viewsOf(suspects)
		if err := w.look(ctx, views, true); err != nil {
			return err
		}
		for k, v := range views {
			if v.mark() != part[k].mark {
				continue
			}
			for _, f := range w.judge().findings(v) {
				if f.Kind == Lost && w.wanted(f) {
					w.explain(ctx, &f, v.record)
				}
				if err := w.report(f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func viewsOf(suspects []suspect) []*view {
	views := make([]*view, len(suspects))
	for k, s := range suspects {
		views[k] = &view{key: s.key}
		if s.entry != nil {
			views[k].entry = &entry{account: s.entry.account, member: s.entry.member}
		}
	}
	return views
}

// report hands out a finding, once.
func (w *walk) report(f Finding) error {
	if !w.wanted(f) || !w.done.add(string(f.Kind)+" "+f.Queue+" "+f.Account+" "+string(f.Key)) {
		return nil
	}
	w.summary.Findings[f.Kind]++
	switch {
	case f.Kind == InDoubt:
		w.summary.InDoubt++
	case f.Harmless:
		w.summary.Harmless++
	default:
		w.summary.Wrong++
	}
	return w.found(f)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

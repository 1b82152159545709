package mails

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// A Kind of step.
type Kind string

// The kinds.
const (
	Enqueued  Kind = "enqueued"
	Attempted Kind = "attempt" // with or without success
	Waited    Kind = "wait"    // it began to wait, and no attempt was counted
	Acted     Kind = "act"     // of a person
	Ended     Kind = "end"     // without an attempt: its time was over, or its content is lost
)

// A Step is what happened to a mail at one time.
type Step struct {
	rohrpost.Event
	Kind Kind
	// Rule picks the hint, if Known: the error log forgets after a day what the record
	// keeps.
	Rule  int
	Known bool
	// Moment is when the hint is read: after the last attempt it promises no other.
	Moment failure.Moment
	// Recipients are those who are concerned, as the error log has them: masked unless
	// it shows them.
	Recipients []string
}

// Hint is what to do about the failure of the step; lang is as for [failure.Hint].
func (s *Step) Hint(lang string) string { return s.Moment.Hint(s.Rule, lang) }

// timeline joins the history of a record with what the error log says of the same.
func (s *Service) timeline(ctx context.Context, r *ledger.Record) ([]Step, error) {
	steps := []Step{{Kind: Enqueued, Event: rohrpost.Event{Time: r.EnqueuedAt, State: rohrpost.Queued}}}
	failed := false
	for _, e := range r.History {
		steps = append(steps, Step{Event: e, Kind: kind(e)})
		failed = failed || e.Category != ""
	}
	if !failed {
		return steps, nil
	}
	for entry, err := range s.errors.Query(ctx, errorlog.Filter{Tenant: r.Tenant, JobID: r.ID, OldestFirst: true, Limit: mostEntries}) {
		if err != nil {
			return nil, err
		}
		explain(steps, entry)
	}
	return steps, nil
}

const (
	// mostEntries bounds what is read of the error log for one mail.
	mostEntries = 1000
	// sameAttempt is how far apart the ledger and the error log may write of one attempt.
	sameAttempt = 10 * time.Second
)

// explain gives the step of the same failure the rule of an entry: the nearest in time.
func explain(steps []Step, entry errorlog.Entry) {
	var nearest *Step
	for i := range steps {
		s := &steps[i]
		apart := s.Time.Sub(entry.Time).Abs()
		if s.Category == "" || s.Category != entry.Category || apart > sameAttempt {
			continue
		}
		if nearest == nil || apart < nearest.Time.Sub(entry.Time).Abs() {
			nearest = s
		}
	}
	if nearest != nil {
		nearest.Rule, nearest.Known = entry.Rule, true
		nearest.Moment = failure.Moment{Final: entry.Final, Tried: entry.Tried}
		nearest.Recipients = append(nearest.Recipients, entry.Recipients...)
	}
}

func kind(e rohrpost.Event) Kind {
	switch {
	case e.By != "":
		return Acted
	case e.Attempt > 0:
		return Attempted
	case e.State.Final():
		return Ended
	}
	return Waited
}

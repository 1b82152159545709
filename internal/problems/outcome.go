package problems

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// An Outcome is what has become of a mail since its attempt failed.
type Outcome struct {
	State    rohrpost.State // empty: the ledger does not have it any more, or was not asked
	Attempts int
	At       time.Time // of the last change
	// Next is when it is tried next, if that time is still to come; zero: at any moment,
	// when its account may, or never.
	Next time.Time
}

// Outcomes says what became of some mails, in the order of their names, in one batch of
// look-ups. A mail without an id has the zero Outcome.
func (s *Service) Outcomes(ctx context.Context, mails []ledger.Name) ([]Outcome, error) {
	briefs, err := s.options.Ledger.Briefs(ctx, mails)
	if err != nil {
		return nil, err
	}
	now := s.options.Now()
	outcomes := make([]Outcome, len(mails))
	for i, b := range briefs {
		if b == nil || mails[i].ID == "" {
			continue
		}
		outcomes[i] = Outcome{State: b.State, Attempts: b.Attempts, At: b.UpdatedAt}
		if b.NextAttempt.After(now) && !b.State.Final() {
			outcomes[i].Next = b.NextAttempt
		}
	}
	return outcomes, nil
}

// add counts an outcome.
func (b *Became) add(o Outcome) {
	b.Asked++
	switch o.State {
	case "":
		b.Unknown++
	case rohrpost.Accepted:
		b.Accepted++
	case rohrpost.Partly:
		b.Partly++
	case rohrpost.Failed, rohrpost.Expired, rohrpost.Bounced:
		b.Failed++
	case rohrpost.Uncertain:
		b.Held++
	case rohrpost.Canceled:
		b.Canceled++
	default:
		b.Waiting++
	}
}

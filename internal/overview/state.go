package overview

import (
	"slices"

	"github.com/rohrpost/rohrpost/internal/problems"
)

// A State is the answer to "is all well?".
type State string

// The states, from the worst.
const (
	Unknown State = "unknown" // Redis does not tell
	Stopped State = "stopped" // somebody must act: mails wait for a person, a queue is paused, no worker runs
	Waits   State = "waits"   // mails wait for a time that comes by itself
	Well    State = "well"
)

// State is how it stands.
func (o *Overview) State() State {
	switch {
	case slices.ContainsFunc([]Part{PartWaiting, PartPaused, PartWorkers}, o.silent):
		return Unknown
	case len(o.Paused) > 0, o.Workers.Processes == 0, slices.ContainsFunc(o.Waiting, needsPerson):
		return Stopped
	case o.WaitingMails() > 0:
		return Waits
	}
	return Well
}

func (o *Overview) silent(p Part) bool { return slices.Contains(o.Silent, p) }

// Knows reports whether Redis has told a part.
func (o *Overview) Knows(p Part) bool { return !o.silent(p) }

func needsPerson(w problems.Waiting) bool {
	return w.Kind == problems.Parked || w.Kind == problems.Settings || w.Kind == problems.Down && w.Mails > 0
}

// WaitingMails is how many mails wait for accounts and servers.
func (o *Overview) WaitingMails() (sum int64) {
	for i := range o.Waiting {
		sum += o.Waiting[i].Mails
	}
	return sum
}

// Accepted is how many mails were accepted in the hours.
func (o *Overview) Accepted() (sum int64) {
	for _, h := range o.Hours {
		sum += h.Accepted
	}
	return sum
}

// Failed is how many mails failed for good in the hours.
func (o *Overview) Failed() (sum int64) {
	for _, h := range o.Hours {
		sum += h.Failed
	}
	return sum
}

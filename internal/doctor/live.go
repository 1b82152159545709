package doctor

import (
	"slices"

	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// A live tells of the steps of one check while they are done. It tells nobody what the
// report conceals, be it by when a step comes: what precedes a connection through a guard
// is told once there is one.
type live struct {
	*writer
	steps []smtp.Step
	told  int
}

// add takes a step that was done.
func (l *live) add(s smtp.Step) {
	l.steps = append(l.steps, s)
	guarded := l.request.Guarded && !l.request.Operator
	if guarded && s.Failure == nil && (s.Name == smtp.StepSettings || s.Name == smtp.StepResolve) {
		return
	}
	shown := slices.Clone(l.steps)
	if !l.request.Operator && hide(&shown, l.request.Guarded) {
		return
	}
	for ; l.told < len(shown); l.told++ {
		out := l.step(&shown[l.told])
		if guarded {
			out.Took = 0
		}
		l.request.Seen(out)
	}
}

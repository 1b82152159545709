package doctor

import (
	"slices"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// Concealed is a failure as an outsider may see it: of a server that the guard has
// refused, or to which it found no way, nothing is left but that. hidden says so.
func Concealed(f *failure.Failure) (shown *failure.Failure, hidden bool) {
	if f == nil || !netguard.Hidden(f) {
		return f, false
	}
	return refusedAt(f.Stage), true
}

func refusedAt(stage failure.Stage) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: stage, Err: &netguard.Refused{}})
}

// hide conceals the failure among the steps, and reports whether there was one to be
// concealed. A name that was not found and one with a refused address read the same:
// what the resolver said is left out, and how long anything took. The step that
// resolves knows nothing of the guard: guarded says that there is one.
func hide(steps *[]smtp.Step, guarded bool) bool {
	i := slices.IndexFunc(*steps, func(s smtp.Step) bool { return s.Failure != nil })
	if i < 0 {
		return false
	}
	shown, hidden := Concealed((*steps)[i].Failure)
	if guarded && (*steps)[i].Name == smtp.StepResolve {
		shown, hidden = refusedAt(failure.StageConnect), true
	}
	if !hidden {
		return false
	}
	out := slices.Clone(*steps)
	for j := range out {
		out[j].Took = 0
	}
	at := i
	if connect := slices.IndexFunc(out, func(s smtp.Step) bool { return s.Name == smtp.StepConnect }); out[i].Name == smtp.StepResolve && connect > i {
		at = connect
	}
	out[i].Failure, out[i].Skipped = nil, false
	out[at] = smtp.Step{Name: out[at].Name, Failure: shown}
	if out[at].Name == smtp.StepConnect {
		out = slices.DeleteFunc(out, func(s smtp.Step) bool { return s.Name == smtp.StepResolve })
	}
	*steps = out
	return true
}

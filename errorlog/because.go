package errorlog

import (
	"errors"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// Because is the entry with what a failed attempt has brought: stage, code, enhanced
// status code, diagnostic, category, class and rule. Of an error that is no failure
// of a delivery, only the text is known: it becomes the diagnostic.
func (e Entry) Because(err error) Entry {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok {
		e.Diagnostic = err.Error()
		return e
	}
	e.Stage, e.Class, e.Category, e.Rule = string(f.Stage), string(f.Class), f.Category, f.Rule
	e.Code, e.Enhanced, e.Diagnostic = f.Code, f.Enhanced, f.Diagnostic
	return e
}

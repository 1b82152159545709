package producer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/producer/internal/content"
)

// ErrConflict says that another mail was sent under an id: nothing is sent. The error is a
// *ConflictError.
var ErrConflict = errors.New("another mail has this id")

// A ConflictError says in what a mail differs from the one that was sent under its id
// first. A mail that is to be sent all the same needs an id of its own.
type ConflictError struct {
	ID     string
	Fields []string // in the spelling of the JSON form: "to", "subject"
}

// Error is one line with the remedy.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%v: job %q was sent before with another %s; nothing is sent now: give this mail an id of its own",
		ErrConflict, e.ID, strings.Join(e.Fields, ", "))
}

// Unwrap lets errors.Is find ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// print makes the fingerprints of contents whose ids were chosen: one that rohrpost has
// made comes again only for the mail that it was made for. There is none while the key
// of the installation is not known.
func (p *portion) print() {
	var printer *content.Printer
	for _, e := range p.entries {
		if !e.ownID || p.clear {
			continue
		}
		if printer == nil {
			key := p.client.index.Derive(p.client.purpose)
			if key == nil {
				return
			}
			printer = content.NewPrinter(key)
		}
		e.content = printer.Of(e.job)
	}
}

// purposeOf is what the key of fingerprints is for: prints of clients that seal for others
// are no business of this one.
func purposeOf(recipients []string) string {
	return strings.Join(append([]string{"contents"}, slices.Sorted(slices.Values(recipients))...), "\n")
}

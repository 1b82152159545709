package delivery

import (
	"strconv"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
)

// expired is the failure of a mail whose time ended while it waited. It is no attempt:
// it names what has kept the mail waiting.
func (a *attempt) expired() *failure.Failure {
	detail := "at " + a.deadline().UTC().Format(time.RFC3339)
	if a.record != nil {
		if last := a.record.LastFailure(); last.Category != "" {
			detail += "; before that " + reason(last)
		}
	}
	return local(failure.ErrExpired, detail)
}

// reason is what an event says in one line: the reply of the server, else the category.
func reason(e rohrpost.Event) string {
	switch {
	case e.Diagnostic == "":
		return e.Category
	case e.Code == 0:
		return e.Diagnostic
	}
	return strconv.Itoa(e.Code) + " " + e.Diagnostic
}

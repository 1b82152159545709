package problems

import (
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// Whose says whose problems are asked for: a tenant's, the platform's own with the zero
// value, or everybody's.
type Whose struct {
	Tenant string // empty: the platform's own mails
	All    bool   // of all tenants, for operators; Tenant is empty then
}

// A Subject is what a problem concerns. One field is set at most; with none it is about
// the recipients of the mails, each for its own.
type Subject struct {
	Account string // id: "tenant/acme"
	Server  string // host:port, over all accounts that send through it
	Domain  string // of recipients
}

// A Remedy says where a problem is mended.
type Remedy string

// The remedies.
const (
	MendAccount    Remedy = "account"    // in the settings of the account
	MendRecipients Remedy = "recipients" // in the addresses of the mails
	MendMail       Remedy = "mail"       // in each mail: too large, refused for its content, held
	MendOperator   Remedy = "operator"   // by the operator: it is the platform's account
	MendServer     Remedy = "server"     // at a server that several accounts use
)

// A Problem is one cause at one place.
type Problem struct {
	Subject
	failure.Detail // of the newest failed attempt; of a Waiting without one: its cause

	Tenant   string // whose mails, if Tenants is 1; empty: the platform's own
	Tenants  int    // how many tenants' mails; 0: no entry of the log
	Accounts int    // how many accounts, of a server

	Attempts    int // entries in the log
	Mails       int // different mails among them
	First, Last time.Time

	Waiting *Waiting // the account or server that waits now; nil: it does not
	Person  bool     // no waiting mends it: somebody must act
	Remedy  Remedy
	Became  Became
	// Examples are the newest few of the mails.
	Examples []Example
}

// Over reports whether every mail has left or was canceled, and nothing waits.
func (p *Problem) Over() bool {
	return p.Waiting == nil && p.Mails > 0 && p.Became.Accepted+p.Became.Canceled == p.Mails
}

// Became counts what became of the mails of a problem. At most 1,000 of each problem are
// asked for, the newest.
type Became struct {
	Asked    int
	Accepted int
	Partly   int // accepted for some recipients only
	Waiting  int
	Failed   int
	Held     int // nobody knows whether they were accepted: a person decides
	Canceled int
	Unknown  int // the ledger does not have them any more
}

// An Example is a mail that met a problem, at its newest failed attempt.
type Example struct {
	Tenant, ID     string
	Time           time.Time
	Recipients     []string // masked as the log has them
	MoreRecipients int
	Diagnostic     string
	Outcome        Outcome
}

// A Report is what Problems answers.
type Report struct {
	Problems []Problem
	More     int // problems beyond those
	// Back is how far back the log was read, if there was no time for the whole of it;
	// zero: to its end.
	Back time.Time
	// NoOutcomes and NoWaiting say that Redis did not tell in time what became of the
	// mails, or how many wait.
	NoOutcomes, NoWaiting bool
}

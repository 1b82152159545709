package adminlink

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost"
)

const (
	// Audience is the claim aud of each token.
	Audience = "rohrpost"
	// Lifetime is how long a link is good for, at most.
	Lifetime = time.Minute
	// maxText is the most octets that a text of a link may have; maxURL bounds ReturnURL.
	maxText, maxURL = 256, 2048
)

// The roles that a link may give.
const (
	Operator = "operator" // everything; web.links must allow it with operators: true
	Admin    = "admin"    // manages the mail of a tenant
	Reader   = "reader"   // sees it
	User     = "user"     // manages the account of one user, the one in Place
)

// PlaceTenant is the place of the tenant's own account. That of a user is UserPlace.
const PlaceTenant = "tenant"

const userPrefix = "user/"

// UserPlace is the place of a user's account. id is rohrpost.User.ID.
func UserPlace(id string) string { return userPrefix + id }

// UserOf is the user of a place, "" if it is none of a user.
func UserOf(place string) string {
	id, _ := strings.CutPrefix(place, userPrefix)
	if id == place {
		return ""
	}
	return id
}

// Test as Action opens the account of the place where a test mail can be sent.
const Test = "test"

// A Link says who comes, and to what. Subject and Role are required, and Tenant for
// every role but Operator. The names in JSON are the claims of the token.
type Link struct {
	Subject   string `json:"sub"`                  // id of the person in the application
	Name      string `json:"name,omitempty"`       // as the person is called
	Email     string `json:"email,omitempty"`      // the person's mailbox: test mails go there
	Tenant    string `json:"tenant,omitempty"`     // whose pages; an operator's link may name one to begin with
	Role      string `json:"role"`                 // Operator, Admin, Reader or User
	Language  string `json:"lang,omitempty"`       // de or en; empty: the browser decides
	Zone      string `json:"tz,omitempty"`         // of the IANA time zone database, as Europe/Berlin
	ReturnURL string `json:"return_url,omitempty"` // where "back" leads; http or https
	Place     string `json:"place,omitempty"`      // the account to open: PlaceTenant or UserPlace; required for User
	Action    string `json:"action,omitempty"`     // what to do there: Test, or nothing
}

// Validate says what is wrong with a link. The error is rohrpost.FieldErrors, in which
// claims are the names of fields.
func (l Link) Validate() error {
	var problems rohrpost.FieldErrors
	add := func(wrong bool, claim, format string, args ...any) {
		if wrong {
			problems = append(problems, &rohrpost.FieldError{Field: claim, Problem: fmt.Sprintf(format, args...)})
		}
	}
	add(l.Subject == "", "sub", "is empty: name the person")
	add(!slices.Contains([]string{Operator, Admin, Reader, User}, l.Role), "role", "%q is unknown: write operator, admin, reader or user", l.Role)
	add(l.Tenant == "" && l.Role != Operator, "tenant", "is empty: name the tenant")
	add(l.Place != "" && l.Place != PlaceTenant && UserOf(l.Place) == "", "place", "%q is unknown: write tenant or user/ID", l.Place)
	add(l.Place != "" && l.Tenant == "", "place", "needs a tenant")
	add(l.Role == User && UserOf(l.Place) == "", "place", "must be user/ID: the role user has the account of one user")
	if l.Email != "" {
		err := rohrpost.CheckAddress(l.Email)
		add(err != nil, "email", "%v", err)
	}
	add(l.Zone != "" && !knownZone(l.Zone), "tz", "%q is no time zone: write Europe/Berlin", l.Zone)
	add(l.ReturnURL != "" && !webAddress(l.ReturnURL), "return_url", "is no address of a web page: write https://…")
	for _, c := range []struct{ claim, text string }{
		{"sub", l.Subject},
		{"name", l.Name},
		{"tenant", l.Tenant},
		{"lang", l.Language},
		{"place", l.Place},
		{"action", l.Action},
	} {
		add(len(c.text) > maxText, c.claim, "is %d octets long: at most %d", len(c.text), maxText)
		add(!printable(c.text), c.claim, "has control characters, or is not UTF-8")
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

func knownZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "Local" // the zone of this machine
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxURL && printable(text) && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

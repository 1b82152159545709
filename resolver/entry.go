package resolver

import (
	"strings"
	"unicode"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/strictyaml"
)

// An Entry is what is stored of the platform, of a tenant or of a user: the
// account and what belongs to it. Which fields there are depends on the level.
type Entry struct {
	AdminAddress string    `json:"admin_address,omitempty"` // platform, tenant
	Order        *Order    `json:"order,omitempty"`         // tenant
	FirstName    string    `json:"first_name,omitempty"`    // user
	LastName     string    `json:"last_name,omitempty"`     // user
	Account      *Settings `json:"account,omitempty"`
}

// A LineError is a problem at one line of an accounts file. It never shows a
// value that could be a password.
type LineError = strictyaml.Error

// The documents are how entries stand in a file: the platform's account is not
// nested.
type (
	platformDoc struct {
		AdminAddress string `json:"admin_address"`
		Settings
	}
	tenantDoc struct {
		AdminAddress string    `json:"admin_address"`
		Order        *Order    `json:"order"`
		Account      *Settings `json:"account"`
	}
	userDoc struct {
		FirstName string    `json:"first_name"`
		LastName  string    `json:"last_name"`
		Account   *Settings `json:"account"`
	}
)

func (d *platformDoc) entry() *Entry {
	return &Entry{AdminAddress: d.AdminAddress, Account: &d.Settings}
}

func (d *tenantDoc) entry() *Entry {
	return &Entry{AdminAddress: d.AdminAddress, Order: d.Order, Account: d.Account}
}

func (d *userDoc) entry() *Entry {
	return &Entry{FirstName: d.FirstName, LastName: d.LastName, Account: d.Account}
}

// ParseEntry reads what stands in accounts.yaml at this level: the keys of the
// platform, or those below a tenant or user. file is for the errors, which are
// *LineError, joined. Whether the settings can send is not asked, see
// [Account.Validate].
func ParseEntry(file string, b []byte, level Level) (*Entry, error) {
	d := strictyaml.New(file)
	var e *Entry
	switch level {
	case Platform:
		var doc platformDoc
		d.Decode(b, &doc)
		e = doc.entry()
		checkEntry(d, "", "", e)
	case Tenant:
		var doc tenantDoc
		d.Decode(b, &doc)
		e = doc.entry()
		checkEntry(d, "", "account", e)
	case User:
		var doc userDoc
		d.Decode(b, &doc)
		e = doc.entry()
		checkEntry(d, "", "account", e)
	}
	return e, d.Err()
}

// checkEntry notes what is wrong with an entry at key, whose account stands at
// account.
func checkEntry(d *strictyaml.Document, key, account string, e *Entry) {
	at := func(field string) string {
		if key == "" {
			return field
		}
		return key + "." + field
	}
	if e.AdminAddress != "" {
		if err := rohrpost.CheckAddress(e.AdminAddress); err != nil {
			d.Fail(at("admin_address"), "%v", err)
		}
	}
	for field, name := range map[string]string{"first_name": e.FirstName, "last_name": e.LastName} {
		if strings.ContainsFunc(name, unicode.IsControl) || len(name) > 256 {
			d.Fail(at(field), "must be one line of at most 256 bytes")
		}
	}
	if e.Order != nil {
		e.Order.validate(func(field, problem string) { d.Fail(at(field), "%s", problem) })
	}
	if e.Account == nil {
		return
	}
	if account == "" {
		account = key
	}
	inAccount := func(field string) string {
		if account == "" {
			return field
		}
		return account + "." + field
	}
	if port := inAccount("smtp.port"); d.Has(port) && !d.Failed(port) && e.Account.SMTP != nil && e.Account.SMTP.Port == 0 {
		d.Fail(port, "must be within 1 to 65535")
	}
	for _, f := range e.Account.secrets() {
		if *f.file != "" && !f.value.IsZero() {
			_, name, _ := strings.Cut(f.key, ".")
			d.Fail(inAccount(f.key+"_file"), "stands beside %s: keep one of them", name)
		}
	}
}

package resolver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/internal/strictyaml"
)

// An Entry is what is stored of the platform, of a tenant or of a user: the
// account and what belongs to it. Which fields there are depends on the level.
type Entry struct {
	AdminAddress string    `json:"admin_address,omitempty"` // platform, tenant
	Order        *Order    `json:"order,omitempty"`         // tenant
	Branding     *Branding `json:"branding,omitempty"`      // tenant
	FirstName    string    `json:"first_name,omitempty"`    // user
	LastName     string    `json:"last_name,omitempty"`     // user
	Account      *Settings `json:"account,omitempty"`
}

// A LineError is a problem at one line of an accounts file. It never shows a
// value that could be a password.
type LineError struct {
	File    string
	Line    int    // from 1; 0: unknown
	Key     string // as "tenants.acme.account.smtp.port"; empty: the file
	Problem string
}

// Error is "accounts.yaml:12: tenants.acme.account.smtp.port: problem".
func (e *LineError) Error() string { return (*strictyaml.Error)(e).Error() }

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
		Branding     *Branding `json:"branding"`
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
	return &Entry{AdminAddress: d.AdminAddress, Order: d.Order, Branding: d.Branding, Account: d.Account}
}

func (d *userDoc) entry() *Entry {
	return &Entry{FirstName: d.FirstName, LastName: d.LastName, Account: d.Account}
}

// The settings of an account alone, with what belongs to it beside them.
type (
	flatTenantDoc struct {
		AdminAddress string    `json:"admin_address"`
		Order        *Order    `json:"order"`
		Branding     *Branding `json:"branding"`
		Settings
	}
	flatUserDoc struct {
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		Settings
	}
)

func (d *flatTenantDoc) entry() *Entry {
	return &Entry{AdminAddress: d.AdminAddress, Order: d.Order, Branding: d.Branding, Account: &d.Settings}
}

func (d *flatUserDoc) entry() *Entry {
	return &Entry{FirstName: d.FirstName, LastName: d.LastName, Account: &d.Settings}
}

// flat reports whether a document has keys at its top that belong below
// "account:", and no such key.
func flat(keys []string) bool {
	if slices.Contains(keys, "account") {
		return false
	}
	return slices.ContainsFunc(keys, func(key string) bool {
		return !slices.Contains([]string{"admin_address", "order", "branding", "first_name", "last_name"}, key)
	})
}

// The most of an entry that is read: its text but for a logo, and what it lists.
const (
	maxEntry = 64 << 10
	maxLogo  = 512 << 10 // in base64, with its line breaks
	maxKeys  = 500
)

// ParseEntry reads what stands in accounts.yaml at this level: the keys of the
// platform, or those below a tenant or user; the keys of their account may also
// stand beside the others, without "account:". It takes at most 64 KiB, a logo in
// base64 apart, and 500 keys and list items. file is for the errors, which are
// *LineError, joined. Whether the account can send is not asked, see
// [Account.Validate].
func ParseEntry(file string, b []byte, level Level) (*Entry, error) {
	if logo := longestBase64(b); len(b)-logo > maxEntry || logo > maxLogo {
		return nil, &LineError{File: file, Problem: fmt.Sprintf("is larger than %d KiB, a logo apart", maxEntry>>10)}
	}
	d := strictyaml.New(file)
	d.Read(b)
	d.Bound(maxKeys)
	nested := level != Platform && !flat(d.Keys())
	var doc interface{ entry() *Entry }
	switch {
	case nested && level == Tenant:
		doc = &tenantDoc{}
	case nested:
		doc = &userDoc{}
	case level == User:
		doc = &flatUserDoc{}
	case level == Tenant:
		doc = &flatTenantDoc{}
	default:
		doc = &platformDoc{}
	}
	d.Fill(doc)
	e := doc.entry()
	account := ""
	if nested {
		account = "account"
	}
	checkWritten(d, "", account, e)
	checkEntry(d, "", level, e)
	return e, lineErrors(d.Err())
}

// longestBase64 is the length of the longest run of base64, with the white space in
// it: a logo. Nothing in there is a key.
func longestBase64(b []byte) int {
	most, run := 0, 0
	for _, c := range b {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/', c == '=', c == ' ', c == '\n', c == '\r':
			run++
			most = max(most, run)
		default:
			run = 0
		}
	}
	return most
}

// checkEntry notes what is wrong with an entry at key.
func checkEntry(d *strictyaml.Document, key string, level Level, e *Entry) {
	for _, err := range fieldErrors(e.Validate(level)) {
		d.Fail(join(key, err.Field), "%s", err.Problem)
	}
}

// checkWritten notes what only the text of a document tells, of an entry at key
// with its settings at account.
func checkWritten(d *strictyaml.Document, key, account string, e *Entry) {
	if b := e.Branding; b != nil && b.LogoFile != "" && len(b.Logo) > 0 {
		d.Fail(join(key, "branding.logo_file"), "stands beside logo: keep one of them")
	}
	if e.Account == nil {
		return
	}
	if port := join(account, "smtp.port"); d.Has(port) && !d.Failed(port) && e.Account.SMTP != nil && e.Account.SMTP.Port == 0 {
		d.Fail(port, "must be within 1 to 65535")
	}
	for _, f := range e.Account.secrets() {
		if *f.file != "" && !f.value.IsZero() {
			_, name, _ := strings.Cut(f.key, ".")
			d.Fail(join(account, f.key+"_file"), "stands beside %s: keep one of them", name)
		}
	}
}

func join(key, field string) string {
	if key == "" {
		return field
	}
	return key + "." + field
}

// WithoutSecrets is a copy of the entry that holds no secret.
func (e *Entry) WithoutSecrets() *Entry {
	c := *e
	c.Account = e.Account.Clone()
	if c.Account != nil {
		for _, f := range c.Account.secrets() {
			*f.value = Secret{}
		}
	}
	return &c
}

// Validate finds what is wrong with an entry of this level, its account apart.
// The error joins one *rohrpost.FieldError per problem.
func (e *Entry) Validate(level Level) error {
	c := checker{}
	c.address("admin_address", e.AdminAddress, false)
	c.line("first_name", e.FirstName)
	c.line("last_name", e.LastName)
	if e.Order != nil {
		e.Order.validate(&c)
	}
	if e.Branding != nil {
		c.errs = append(c.errs, e.Branding.problems()...)
	}
	if level != Tenant && e.Branding != nil {
		c.fail("branding", "is a tenant's")
	}
	if level == User && e.AdminAddress != "" {
		c.fail("admin_address", "is the tenant's or the platform's, not a user's")
	}
	if level != Tenant && e.Order != nil {
		c.fail("order", "is a tenant's")
	}
	if level != User && e.FirstName+e.LastName != "" {
		c.fail("first_name", "first and last name are a user's")
	}
	return errors.Join(c.errs...)
}

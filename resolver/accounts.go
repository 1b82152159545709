package resolver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/strictyaml"
)

// A snapshot is an accounts file as it was read. It is not changed any more.
type snapshot struct {
	platform *filed
	tenants  map[string]*tenant
	warnings []string
}

// A filed entry is one with its account, which may be nil.
type filed struct {
	entry   *Entry
	account *Account
}

type tenant struct {
	filed
	users map[string]*filed
}

// A fileDoc is a whole accounts file.
type fileDoc struct {
	Platform *platformDoc              `json:"platform"`
	Tenants  map[string]*fileTenantDoc `json:"tenants"`
}

type fileTenantDoc struct {
	tenantDoc
	Users map[string]*userDoc `json:"users"`
}

// A parser reads one accounts file.
type parser struct {
	*strictyaml.Document
	readSecret func(name string) (secret.String, error) // a password_file
	warnings   []*LineError
}

// parse reads an accounts file. name is for errors; the error joins one
// *LineError per problem.
func parse(name string, b []byte, readSecret func(string) (secret.String, error)) (*snapshot, error) {
	p := parser{Document: strictyaml.New(name), readSecret: readSecret}
	var doc fileDoc
	p.Decode(b, &doc)
	out := &snapshot{tenants: map[string]*tenant{}}
	if doc.Platform == nil {
		p.warn("", "there is no platform account: marketing mail, and mail of tenants without an account, cannot leave")
	} else {
		out.platform = p.place("platform", "platform", doc.Platform.entry(), Platform, "", "")
	}
	for id, t := range doc.Tenants {
		key := strictyaml.Path("tenants", id)
		p.id(id, key)
		added := &tenant{filed: *p.place(key, key+".account", t.entry(), Tenant, id, ""), users: map[string]*filed{}}
		for user, u := range t.Users {
			key := strictyaml.Path(key+".users", user)
			p.id(user, key)
			added.users[user] = p.place(key, key+".account", u.entry(), User, id, user)
		}
		out.tenants[id] = added
	}
	slices.SortStableFunc(p.warnings, strictyaml.ByLine)
	for _, w := range p.warnings {
		out.warnings = append(out.warnings, w.Error())
	}
	return out, p.Err()
}

func (p *parser) warn(key, format string, args ...any) {
	p.warnings = append(p.warnings, &LineError{File: p.File(), Line: p.Line(key), Problem: fmt.Sprintf(format, args...)})
}

// id checks a tenant's or user's id by the rules of rohrpost.Message.
func (p *parser) id(id, key string) {
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, unicode.IsControl) {
		p.Fail(key, "an id must have 1 to 128 bytes and no control characters")
	}
}

// place checks an entry, reads its secrets and makes its account.
func (p *parser) place(key, at string, e *Entry, level Level, tenant, user string) *filed {
	checkEntry(p.Document, key, at, level, e)
	if e.Account == nil {
		return &filed{entry: e}
	}
	clear := e.Account.secretsInClear()
	unusable := p.secrets(e.Account)
	a := e.Account.Account(level, tenant, user)
	a.Unusable, a.Trusted = unusable, true
	out := &filed{entry: e, account: a}
	if p.Failed(at) {
		return out // what cannot be read is not judged
	}
	for _, err := range fieldErrors(a.Validate()) {
		p.Fail(at+"."+err.Field, "%s", err.Problem)
	}
	for _, w := range a.Warnings() {
		p.warn(at, "%s: %s", a.ID(), w)
	}
	for _, field := range clear {
		_, name, _ := strings.Cut(field, ".")
		p.warn(at+"."+field, "%s: the %s stands in clear in this file; %s_file keeps it out", a.ID(), strings.ReplaceAll(name, "_", " "), name)
	}
	return out
}

// secretsInClear are the keys of the secrets that stand in the settings themselves.
func (s *Settings) secretsInClear() []string {
	var keys []string
	for _, f := range s.secrets() {
		if !f.value.IsZero() {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// secrets reads the files for secrets. The answer says why that cannot be done:
// one tenant's missing file must not stop the mail of all others.
func (p *parser) secrets(s *Settings) (unusable string) {
	for _, f := range s.secrets() {
		if *f.file == "" || f.key == "smtp.password" && s.SMTP.Authentication != nil && !*s.SMTP.Authentication {
			continue
		}
		value, err := p.readSecret(*f.file)
		if err != nil {
			_, name, _ := strings.Cut(f.key, ".")
			unusable = "its " + strings.ReplaceAll(name, "_", " ") + " cannot be read: " + err.Error()
			continue
		}
		*f.value = value
	}
	return unusable
}

func fieldErrors(err error) []*rohrpost.FieldError {
	var out []*rohrpost.FieldError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if f, ok := errors.AsType[*rohrpost.FieldError](e); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

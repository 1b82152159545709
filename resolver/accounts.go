package resolver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/rohrpost/rohrpost"
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
	look    *Branding
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
	readFile func(name string) ([]byte, error) // a password_file, a logo_file
	warnings []*strictyaml.Error
}

// parse reads an accounts file. name is for errors; the error joins one
// *LineError per problem.
func parse(name string, b []byte, readFile func(string) ([]byte, error)) (*snapshot, error) {
	p := parser{Document: strictyaml.New(name), readFile: readFile}
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
	return out, lineErrors(p.Err())
}

func (p *parser) warn(key, format string, args ...any) {
	p.warnings = append(p.warnings, &strictyaml.Error{File: p.File(), Line: p.Line(key), Problem: fmt.Sprintf(format, args...)})
}

// id checks a tenant's or user's id by the rules of rohrpost.Message.
func (p *parser) id(id, key string) {
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, unicode.IsControl) {
		p.Fail(key, "an id must have 1 to 128 bytes and no control characters")
	}
}

// place checks an entry, reads the files that it names and makes its account.
func (p *parser) place(key, at string, e *Entry, level Level, tenant, user string) *filed {
	var inClear []string
	if e.Account != nil {
		inClear = e.Account.secretsInClear()
	}
	checkWritten(p.Document, key, at, e)
	unread := e.ReadFiles(p.readFile)
	if err := unread["branding.logo"]; err != nil {
		p.warn(key+".branding", "%s: the logo cannot be read: %v: mails go without it", Place{tenant, user}, err)
		delete(unread, "branding.logo")
	}
	checkEntry(p.Document, key, level, e)
	out := &filed{entry: e, look: e.Branding}
	if e.Account == nil {
		return out
	}
	a := e.Account.Account(level, tenant, user)
	a.Trusted = true
	for _, field := range slices.Sorted(maps.Keys(unread)) {
		problem := "its " + words(field) + " cannot be read: " + unread[field].Error()
		if field == "smtp.password" && a.OAuth2.InUse() {
			p.warn(at+".smtp", "%s: %s: it is not used", a.ID(), problem)
			continue
		}
		a.Unusable = problem // one tenant's missing file must not stop the mail of all others
	}
	if out.account = a; p.Failed(at) {
		return out // what cannot be read is not judged
	}
	for _, err := range fieldErrors(a.Validate()) {
		p.Fail(at+"."+err.Field, "%s", err.Problem)
	}
	for _, w := range a.Warnings() {
		p.warn(at, "%s: %s", a.ID(), w)
	}
	for _, field := range inClear {
		_, name, _ := strings.Cut(field, ".")
		p.warn(at+"."+field, "%s: the %s stands in clear in this file; %s_file keeps it out", a.ID(), words(field), name)
	}
	return out
}

// words is a key of a secret for people: "smtp.password" is "password".
func words(key string) string {
	_, name, _ := strings.Cut(key, ".")
	return strings.ReplaceAll(name, "_", " ")
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

// ReadFiles puts the contents of the files that an entry names in place of their
// names, with read for the contents of one. The answer has those that cannot be
// read, by the key of what they hold ("smtp.password").
func (e *Entry) ReadFiles(read func(name string) ([]byte, error)) map[string]error {
	unread := map[string]error{}
	if b := e.Branding; b != nil && b.LogoFile != "" {
		logo, err := read(b.LogoFile)
		if err != nil {
			unread["branding.logo"] = err
		} else {
			b.Logo, b.LogoFile = logo, ""
		}
	}
	if e.Account == nil {
		return unread
	}
	for _, f := range e.Account.secrets() {
		off := f.key == "smtp.password" && e.Account.SMTP.Authentication != nil && !*e.Account.SMTP.Authentication
		if *f.file == "" || !f.value.IsZero() {
			continue
		}
		content, err := read(*f.file)
		value := strings.TrimRight(string(content), "\r\n") // editors add a line end
		if err == nil && value == "" {
			err = errors.New(*f.file + " is empty")
		}
		switch {
		case err == nil:
			*f.value, *f.file = NewSecret(value), ""
		case off: // it is kept for later, and not missed today
			*f.file = ""
		default:
			unread[f.key] = err
		}
	}
	return unread
}

// lineErrors is the error of a document, one *LineError per problem.
func lineErrors(err error) error {
	var errs []error
	for _, e := range unjoined(err) {
		if line, ok := errors.AsType[*strictyaml.Error](e); ok {
			e = (*LineError)(line)
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

func fieldErrors(err error) []*rohrpost.FieldError {
	var out []*rohrpost.FieldError
	for _, e := range unjoined(err) {
		if f, ok := errors.AsType[*rohrpost.FieldError](e); ok {
			out = append(out, f)
		}
	}
	return out
}

// unjoined are the errors that errors.Join has put together.
func unjoined(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return nil
}

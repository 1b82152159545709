package resolver

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// A snapshot is an accounts file as it was read. It is not changed any more.
type snapshot struct {
	platform      *Account
	platformAdmin string
	tenants       map[string]*tenant
	warnings      []string
}

type tenant struct {
	admin   string
	account *Account
	users   map[string]*user
}

type user struct {
	account *Account
	person  rohrpost.User
}

// A parser reads one accounts file.
type parser struct {
	decoder
	readSecret func(name string) (secret.String, error) // a password_file
	out        *snapshot
}

// parse reads an accounts file. name is for errors; the error joins one
// *LineError per problem.
func parse(name string, b []byte, readSecret func(string) (secret.String, error)) (*snapshot, error) {
	p := parser{
		decoder:    decoder{file: name},
		readSecret: readSecret,
		out:        &snapshot{tenants: map[string]*tenant{}},
	}
	if root := p.root(b); root != nil {
		p.mapping("", root, map[string]field{"platform": p.platform, "tenants": p.tenants})
	}
	if p.out.platform == nil {
		p.warn(0, "there is no platform account: marketing mail, and mail of tenants without an account, cannot leave")
	}
	return p.out, errors.Join(p.errs...)
}

func (p *parser) warn(line int, format string, args ...any) {
	e := LineError{File: p.file, Line: line, Problem: fmt.Sprintf(format, args...)}
	p.out.warnings = append(p.out.warnings, e.Error())
}

func (p *parser) platform(key string, n *yaml.Node) {
	p.out.platform = p.account(key, n, Account{Level: Platform}, map[string]field{
		"admin_address": p.address(&p.out.platformAdmin),
	})
}

func (p *parser) tenants(key string, n *yaml.Node) {
	p.each(key, n, func(id, path string, line int, n *yaml.Node) {
		p.id(id, path, line)
		t := &tenant{users: map[string]*user{}}
		p.out.tenants[id] = t
		p.mapping(path, n, map[string]field{
			"admin_address": p.address(&t.admin),
			"account": func(key string, n *yaml.Node) {
				t.account = p.account(key, n, Account{Level: Tenant, Tenant: id}, nil)
			},
			"users": func(key string, n *yaml.Node) { p.users(key, n, id, t) },
		})
	})
}

func (p *parser) users(key string, n *yaml.Node, tenant string, t *tenant) {
	p.each(key, n, func(id, path string, line int, n *yaml.Node) {
		p.id(id, path, line)
		u := &user{person: rohrpost.User{ID: id}}
		t.users[id] = u
		p.mapping(path, n, map[string]field{
			"first_name": p.line(&u.person.FirstName),
			"last_name":  p.line(&u.person.LastName),
			"account": func(key string, n *yaml.Node) {
				u.account = p.account(key, n, Account{Level: User, Tenant: tenant, User: id}, nil)
				u.person.Address = u.account.Address
			},
		})
	})
}

// id checks a tenant's or user's id by the rules of rohrpost.Message.
func (p *parser) id(id, path string, line int) {
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, unicode.IsControl) {
		p.fail(line, path, "an id must have 1 to 128 bytes and no control characters")
	}
}

// account reads the keys that are the same at all three levels, and those of
// extra.
func (p *parser) account(key string, n *yaml.Node, a Account, extra map[string]field) *Account {
	lines := map[string]int{} // of the fields, as Validate names them
	a.ForceSender = true
	var login login
	fields := map[string]field{
		"address":              p.text(&a.Address),
		"name":                 p.text(&a.Name),
		"central_sender":       p.mailbox(&a.CentralSender),
		"force_sender":         p.flag(&a.ForceSender),
		"reply_to_user":        p.flag(&a.ReplyToUser),
		"use_platform_default": p.flag(&a.UsePlatformDefault),
		"aliases":              p.texts(&a.Aliases),
		"smtp":                 func(key string, n *yaml.Node) { p.smtp(key, n, &a.SMTP, &login, lines) },
	}
	maps.Copy(fields, extra)
	before := len(p.errs)
	p.mapping(key, n, remember(lines, "", fields))
	p.defaults(&a, &login)
	if len(p.errs) > before {
		return &a // what cannot be read is not judged
	}
	for _, err := range fieldErrors(a.Validate()) {
		p.fail(lineOf(lines, err.Field, n.Line), key+"."+err.Field, "%s", err.Problem)
	}
	for _, w := range a.Warnings() {
		p.warn(n.Line, "%s: %s", a.ID(), w)
	}
	if login.clear != "" {
		p.warn(lines["smtp.password"], "%s: the password stands in clear in this file; password_file keeps it out", a.ID())
	}
	return &a
}

// A login is what smtp says of it, before defaults.
type login struct {
	auth  *bool
	clear string // password
	file  string // password_file
}

func (p *parser) smtp(key string, n *yaml.Node, s *SMTP, l *login, lines map[string]int) {
	var auth bool
	fields := map[string]field{
		"host": p.text(&s.Host),
		"port": func(key string, n *yaml.Node) {
			s.Port = -1 // 0 is for the default
			p.number(&s.Port)(key, n)
			if s.Port == 0 {
				p.fail(n.Line, key, "must be within 1 to 65535")
			}
		},
		"encryption": p.text((*string)(&s.Encryption)),
		"authentication": func(key string, n *yaml.Node) {
			p.flag(&auth)(key, n)
			l.auth = &auth
		},
		"username":              p.text(&s.Username),
		"password":              p.text(&l.clear),
		"password_file":         p.text(&l.file),
		"allow_plaintext_login": p.flag(&s.AllowPlaintextLogin),
		"max_connections":       p.number(&s.MaxConnections),
	}
	p.mapping(key, n, remember(lines, "smtp.", fields))
	if l.clear != "" && l.file != "" {
		p.fail(lines["smtp.password_file"], key+".password_file", "stands beside password: keep one of them")
	}
}

// defaults fills what is not said, and reads the password.
func (p *parser) defaults(a *Account, l *login) {
	s := &a.SMTP
	s.Encryption = cmp.Or(s.Encryption, STARTTLS)
	s.Port = cmp.Or(s.Port, usualPort(s.Encryption))
	s.Authentication = s.Username != "" || l.clear != "" || l.file != ""
	if l.auth != nil {
		s.Authentication = *l.auth
	}
	s.Username = cmp.Or(s.Username, a.Address)
	s.Password = secret.New(l.clear)
	if l.file == "" || !s.Authentication {
		return
	}
	password, err := p.readSecret(l.file)
	if err != nil {
		// One tenant's missing file must not stop the mail of all others.
		a.Unusable = "its password cannot be read: " + err.Error()
	}
	s.Password = password
}

func usualPort(e Encryption) int {
	switch e {
	case TLS:
		return 465
	case None:
		return 25
	}
	return 587
}

// remember notes the line of each field before it is read.
func remember(lines map[string]int, prefix string, fields map[string]field) map[string]field {
	out := make(map[string]field, len(fields))
	for name, f := range fields {
		out[name] = func(key string, n *yaml.Node) {
			lines[prefix+name] = n.Line
			f(key, n)
		}
	}
	return out
}

// lineOf is the line of "central_sender.address", or of what holds it.
func lineOf(lines map[string]int, field string, otherwise int) int {
	for {
		if line, ok := lines[field]; ok {
			return line
		}
		at := strings.LastIndexAny(field, ".[")
		if at < 0 {
			return otherwise
		}
		field = field[:at]
	}
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

func (p *parser) line(into *string) field {
	return func(key string, n *yaml.Node) {
		p.text(into)(key, n)
		if strings.ContainsFunc(*into, unicode.IsControl) || len(*into) > 256 {
			p.fail(n.Line, key, "must be one line of at most 256 bytes")
		}
	}
}

func (p *parser) address(into *string) field {
	return func(key string, n *yaml.Node) {
		p.text(into)(key, n)
		if err := rohrpost.CheckAddress(*into); err != nil {
			p.fail(n.Line, key, "%v", err)
		}
	}
}

// mailbox is {address, name} or "Name <address>".
func (p *parser) mailbox(into *rohrpost.Address) field {
	return func(key string, n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			p.mapping(key, n, map[string]field{"address": p.text(&into.Address), "name": p.text(&into.Name)})
			return
		}
		var s string
		p.text(&s)(key, n)
		parsed, err := rohrpost.ParseAddress(s)
		if err != nil {
			p.fail(n.Line, key, "%v", err)
		}
		*into = parsed
	}
}

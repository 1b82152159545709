package accountpages

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// A form is what stands in the form of an account: what is stored, or what somebody has
// entered and not saved yet.
type form struct {
	level   resolver.Level
	version int64
	entry   resolver.Entry // without secrets
	on      *resolver.Settings
	chosen  bool // a provider was chosen just now: its server is to send, not the platform's
	// values are those that were sent; nil: the stored ones are shown.
	values url.Values
	kept   resolver.Secret        // the password of the test before; zero: none is kept
	errs   []*rohrpost.FieldError // of what is no number
}

// stored is a form with what is stored. provider is one that is chosen in its place;
// empty: the stored one.
func stored(level resolver.Level, version int64, e *resolver.Entry, provider string) *form {
	f := &form{level: level, version: version, entry: *e, on: e.Account.Clone(), chosen: provider != ""}
	if f.on == nil {
		f.on = &resolver.Settings{}
	}
	if f.on.SMTP == nil {
		f.on.SMTP = &resolver.SMTPSettings{}
	}
	if provider != "" && provider != f.on.Provider { // its server takes the place of the old one
		f.on.Provider = provider
		f.on.SMTP.Host, f.on.SMTP.Port, f.on.SMTP.Encryption = "", 0, ""
	}
	return f
}

// parsed is a form that somebody has sent.
func parsed(level resolver.Level, values url.Values) *form {
	f := &form{level: level, values: values}
	f.version, _ = strconv.ParseInt(values.Get("version"), 10, 64)
	f.apply(&f.entry)
	f.on = f.entry.Account
	if f.on == nil {
		f.on = &resolver.Settings{Provider: entered(values, "provider")}
	}
	if f.on.SMTP == nil {
		f.on.SMTP = &resolver.SMTPSettings{}
	}
	f.readNumbers()
	if port := entered(values, "smtp.port"); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			f.errs = append(f.errs, &rohrpost.FieldError{Field: "smtp.port", Problem: "must be within 1 to 65535"})
		}
	}
	return f
}

// part are the fields that apply changes.
func (f *form) part() []string { return []string{"account", "first_name", "last_name"} }

// apply puts what was sent into an entry. What the form does not have stays.
func (f *form) apply(e *resolver.Entry) {
	if f.level == resolver.User {
		e.FirstName, e.LastName = f.value("first_name"), f.value("last_name")
	}
	usual := f.level != resolver.Platform && f.ticks("use_platform_default")
	if e.Account == nil {
		if usual && f.blank() {
			return // nothing was entered, and nothing is needed
		}
		e.Account = &resolver.Settings{}
	}
	a := e.Account
	a.UsePlatformDefault = usual
	a.Provider, a.Address, a.Name, a.ReversePath = f.value("provider"), f.value("address"), f.value("name"), f.value("reverse_path")
	a.ForceSender = flag(a.ForceSender, f.ticks("force_sender"))
	a.ReplyToUser = f.ticks("reply_to_user")
	a.Aliases = strings.FieldsFunc(f.value("aliases"), func(r rune) bool { return strings.ContainsRune(", ;\r\n\t", r) })
	if f.level == resolver.Tenant {
		a.CentralSender = nil
		if m := (resolver.Mailbox{Address: f.value("central_sender.address"), Name: f.value("central_sender.name")}); m != (resolver.Mailbox{}) {
			a.CentralSender = &m
		}
	}
	f.applyServer(a)
	f.applyLimits(a)
}

// applyServer puts the server into settings. Beside OAuth2 there need be none.
func (f *form) applyServer(a *resolver.Settings) {
	s := resolver.SMTPSettings{}
	if a.SMTP != nil {
		s = *a.SMTP
	}
	s.Host, s.Encryption, s.Username = f.value("smtp.host"), f.value("smtp.encryption"), f.value("smtp.username")
	s.Port, _ = strconv.Atoi(f.value("smtp.port"))
	s.AllowPlaintextLogin = f.ticks("smtp.allow_plaintext_login")
	login := f.ticks("smtp.authentication")
	s.Authentication = &login
	s.Password = f.password()
	if f.values.Has("smtp.max_connections") {
		s.MaxConnections = f.number("smtp.max_connections")
	}
	if a.OAuth2 != nil && a.SMTP == nil && s.Host == "" && s.Password.IsZero() && s.Username == "" {
		return
	}
	a.SMTP = &s
}

func (f *form) value(key string) string { return entered(f.values, key) }

// ticks reports whether a box is ticked.
func (f *form) ticks(key string) bool { return f.values.Get(key) != "" }

// blank reports whether nothing of an account was entered.
func (f *form) blank() bool {
	for _, key := range []string{"address", "name", "smtp.host", "smtp.username", "smtp.password", "central_sender.address"} {
		if f.value(key) != "" {
			return false
		}
	}
	return true
}

// flag is a setting that is on if it is left out: it stays left out where it was.
func flag(old *bool, on bool) *bool {
	if on && old == nil {
		return nil
	}
	return &on
}

// A section is a group of fields.
type section struct {
	Key    string // the text "section_<Key>" is its legend
	Fields []field
	Folded bool // shown on demand
}

// provider is the id of the preset.
func (f *form) provider() string { return f.on.Provider }

// ticked reports whether the platform's server is used.
func (f *form) ticked() bool {
	if f.values != nil {
		return f.ticks("use_platform_default")
	}
	return !f.chosen && (f.entry.Account == nil || f.entry.Account.UsePlatformDefault)
}

// sections are the fields of an account. stored are the keys of stored secrets.
func (f *form) sections(b *builder, t func(string, ...any) string, secrets []string, d *accountData) []section {
	preset, known := resolver.PresetByID(f.on.Provider)
	preset.Port = max(preset.Port, 0)
	address := b.field("email", "address", f.on.Address)
	sender := section{Key: "sender", Fields: []field{address, b.text("name", f.on.Name, "")}}
	if f.level == resolver.User {
		names := []field{b.text("first_name", f.entry.FirstName, ""), b.text("last_name", f.entry.LastName, "")}
		sender.Fields = append(names, sender.Fields...)
	}
	s := f.on.SMTP
	host, port := b.text("smtp.host", s.Host, preset.Host), b.field("number", "smtp.port", numberOrNone(s.Port))
	if f.values != nil {
		port.Value = f.value("smtp.port")
	}
	if preset.Port > 0 {
		port.Placeholder = strconv.Itoa(preset.Port)
	}
	usual := t("encryption_usual")
	if known && preset.Encryption != "" {
		usual = t("encryption_of_provider", t("encryption_"+string(preset.Encryption)))
	}
	server := section{Key: "server", Fields: []field{host, port, b.choice("smtp.encryption", s.Encryption,
		option{"", usual}, option{"tls", t("encryption_tls")}, option{"starttls", t("encryption_starttls")}, option{"none", t("encryption_none")},
	)}}
	server.Folded = known && preset.Host != "" && !server.touched() // the provider's server is known
	password := b.field("password", "smtp.password", "")
	password.Complete = "new-password"
	for _, key := range secrets {
		if key == "smtp.password" {
			password.Placeholder = t("secret_stored")
		}
	}
	if d.Kept {
		password.Placeholder, password.Tip = t("secret_kept_short"), t("secret_kept")
	}
	login := section{Key: "login", Fields: []field{
		b.check("smtp.authentication", s.Authentication == nil || *s.Authentication),
		b.text("smtp.username", s.Username, f.on.Address), password,
		b.check("smtp.allow_plaintext_login", s.AllowPlaintextLogin),
	}}
	return []section{sender, server, login, f.more(b), f.advanced(b, preset, d.OAuth)}
}

// more is what most leave as it is.
func (f *form) more(b *builder) section {
	more := section{Key: "more", Folded: true, Fields: []field{
		b.check("force_sender", f.on.ForceSender == nil || *f.on.ForceSender),
		b.check("reply_to_user", f.on.ReplyToUser),
		b.field("textarea", "aliases", strings.Join(f.on.Aliases, "\n")),
		b.field("email", "reverse_path", f.on.ReversePath),
	}}
	if f.level == resolver.Tenant {
		central := resolver.Mailbox{}
		if f.on.CentralSender != nil {
			central = *f.on.CentralSender
		}
		more.Fields = append(more.Fields, b.field("email", "central_sender.address", central.Address), b.text("central_sender.name", central.Name, ""))
	}
	more.Folded = !more.touched()
	return more
}

// touched reports whether a field of a folded section must be seen.
func (s *section) touched() bool {
	for _, f := range s.Fields {
		if f.Wrong != "" || f.Kind != "checkbox" && f.Value != "" {
			return true
		}
	}
	return false
}

func numberOrNone(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

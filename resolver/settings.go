package resolver

import (
	"cmp"

	"github.com/rohrpost/rohrpost"
)

// Settings are an account as somebody has written it down: the keys of
// accounts.yaml. What is left out follows from the provider or has a default;
// [Settings.Account] is what comes of it.
type Settings struct {
	Provider string `json:"provider,omitempty"` // id of a Preset; empty or "custom": none
	Address  string `json:"address,omitempty"`  // From
	Name     string `json:"name,omitempty"`     // display name; empty: that of the user

	CentralSender *Mailbox `json:"central_sender,omitempty"`
	ForceSender   *bool    `json:"force_sender,omitempty"` // default: true
	ReplyToUser   bool     `json:"reply_to_user,omitempty"`
	Aliases       []string `json:"aliases,omitempty"`
	ReversePath   string   `json:"reverse_path,omitempty"` // default: the address

	UsePlatformDefault bool     `json:"use_platform_default,omitempty"`
	Fallback           Fallback `json:"fallback,omitempty"` // of a tenant: never (default) or platform

	SMTP   *SMTPSettings   `json:"smtp,omitempty"`
	OAuth2 *OAuth2Settings `json:"oauth2,omitempty"`
	Limits *Limits         `json:"limits,omitempty"`
}

// SMTPSettings are the server of an account.
type SMTPSettings struct {
	Host                string `json:"host,omitempty"`
	Port                int    `json:"port,omitempty"`       // default by encryption
	Encryption          string `json:"encryption,omitempty"` // default: tls at port 465, else starttls
	Authentication      *bool  `json:"authentication,omitempty"`
	Username            string `json:"username,omitempty"` // default: the address
	Password            Secret `json:"password,omitzero"`
	PasswordFile        string `json:"password_file,omitempty"`
	AllowPlaintextLogin bool   `json:"allow_plaintext_login,omitempty"`
	MaxConnections      int    `json:"max_connections,omitempty"`
}

// OAuth2Settings are the access to Microsoft 365 or Google without a password.
type OAuth2Settings struct {
	Provider  string `json:"provider,omitempty"`  // microsoft or google; default by the preset
	Transport string `json:"transport,omitempty"` // smtp (default), graph or gmail
	Username  string `json:"username,omitempty"`  // the mailbox; default: the address
	Tenant    string `json:"tenant,omitempty"`    // Microsoft: directory, a GUID or domain
	Cloud     string `json:"cloud,omitempty"`     // Microsoft: us, us-dod or china; empty: worldwide

	ClientID           string `json:"client_id,omitempty"` // empty: the application of the platform
	ClientSecret       Secret `json:"client_secret,omitzero"`
	ClientSecretFile   string `json:"client_secret_file,omitempty"`
	RefreshToken       Secret `json:"refresh_token,omitzero"` // as rohrpost account connect gets it
	RefreshTokenFile   string `json:"refresh_token_file,omitempty"`
	ServiceAccount     Secret `json:"service_account,omitzero"` // Google: the JSON key
	ServiceAccountFile string `json:"service_account_file,omitempty"`

	Endpoints *Endpoints `json:"endpoints,omitempty"`
}

// Endpoints replace those of the provider, for unusual clouds and for tests.
type Endpoints struct {
	Authorize string `json:"authorize,omitempty"` // URL of the sign-in page
	Token     string `json:"token,omitempty"`     // URL
	API       string `json:"api,omitempty"`       // URL, of Microsoft Graph or the Gmail API
	SMTP      string `json:"smtp,omitempty"`      // host:port
}

// Mailbox is an address that may be written as {address, name} or as
// "Name <address>".
type Mailbox struct {
	Address string `json:"address,omitempty"`
	Name    string `json:"name,omitempty"`
}

// UnmarshalScalar reads the short form.
func (m *Mailbox) UnmarshalScalar(text string) error {
	a, err := rohrpost.ParseAddress(text)
	*m = Mailbox{Address: a.Address, Name: a.Name}
	return err
}

// A secretField is where a secret stands in settings, and the file that may hold
// it instead.
type secretField struct {
	key   string // as "smtp.password"
	value *Secret
	file  *string
}

// secrets are the fields for secrets, whether they are filled or not.
func (s *Settings) secrets() []secretField {
	var f []secretField
	if s.SMTP != nil {
		f = append(f, secretField{"smtp.password", &s.SMTP.Password, &s.SMTP.PasswordFile})
	}
	if o := s.OAuth2; o != nil {
		f = append(f,
			secretField{"oauth2.client_secret", &o.ClientSecret, &o.ClientSecretFile},
			secretField{"oauth2.refresh_token", &o.RefreshToken, &o.RefreshTokenFile},
			secretField{"oauth2.service_account", &o.ServiceAccount, &o.ServiceAccountFile})
	}
	return f
}

// Secrets are the fields of the settings for secrets, by key ("smtp.password"),
// whether they are filled or not. A change through the pointer changes s.
func (s *Settings) Secrets() map[string]*Secret {
	m := map[string]*Secret{}
	for _, f := range s.secrets() {
		m[f.key] = f.value
	}
	return m
}

// Files are the keys of the files that the settings name for secrets, for stores
// that must not read files.
func (s *Settings) Files() []string {
	var keys []string
	for _, f := range s.secrets() {
		if *f.file != "" {
			keys = append(keys, f.key+"_file")
		}
	}
	return keys
}

// Clone is a copy that shares nothing that can be changed.
func (s *Settings) Clone() *Settings {
	if s == nil {
		return nil
	}
	c := *s
	c.CentralSender, c.ForceSender, c.Limits = copied(s.CentralSender), copied(s.ForceSender), copied(s.Limits)
	c.Aliases = append([]string(nil), s.Aliases...)
	if c.SMTP = copied(s.SMTP); c.SMTP != nil {
		c.SMTP.Authentication = copied(s.SMTP.Authentication)
	}
	if c.OAuth2 = copied(s.OAuth2); c.OAuth2 != nil {
		c.OAuth2.Endpoints = copied(s.OAuth2.Endpoints)
	}
	return &c
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Account is what the settings come to for this level, tenant and user, with
// everything filled in that was left out. It is not checked: see
// [Account.Validate].
func (s *Settings) Account(level Level, tenant, user string) *Account {
	a := &Account{
		Level: level, Tenant: tenant, User: user,
		Provider: s.Provider, Address: s.Address, Name: s.Name,
		ForceSender: s.ForceSender == nil || *s.ForceSender, ReplyToUser: s.ReplyToUser,
		Aliases: s.Aliases, ReversePath: s.ReversePath, UsePlatformDefault: s.UsePlatformDefault,
		Fallback: s.Fallback,
	}
	if s.CentralSender != nil {
		a.CentralSender = rohrpost.Address{Address: s.CentralSender.Address, Name: s.CentralSender.Name}
	}
	preset, _ := PresetByID(s.Provider)
	known := preset.Limits
	if s.OAuth2 != nil {
		a.OAuth2 = s.OAuth2.effective(a.Address, &preset)
		known = a.OAuth2.preset().Limits
	}
	if s.Limits != nil {
		a.Limits = *s.Limits
	}
	a.Limits = a.Limits.or(known)
	if s.SMTP != nil || s.OAuth2 == nil {
		a.SMTP = cmp.Or(s.SMTP, &SMTPSettings{}).effective(a.Address, &preset)
	}
	return a
}

func (s *SMTPSettings) effective(address string, preset *Preset) SMTP {
	out := SMTP{
		Host: cmp.Or(s.Host, preset.Host), Port: s.Port, Encryption: Encryption(s.Encryption),
		Username: cmp.Or(s.Username, address), Password: s.Password,
		Authentication:      s.Username != "" || !s.Password.IsZero() || s.PasswordFile != "",
		AllowPlaintextLogin: s.AllowPlaintextLogin, MaxConnections: cmp.Or(s.MaxConnections, preset.Connections),
	}
	if out.Encryption == "" {
		switch out.Port {
		case 0, preset.Port:
			out.Encryption = preset.Encryption
		case usualPort(TLS):
			out.Encryption = TLS
		}
		out.Encryption = cmp.Or(out.Encryption, STARTTLS)
	}
	if out.Port == 0 && out.Encryption == preset.Encryption {
		out.Port = preset.Port
	}
	out.Port = cmp.Or(out.Port, usualPort(out.Encryption))
	if s.Authentication != nil {
		out.Authentication = *s.Authentication
	}
	return out
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

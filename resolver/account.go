package resolver

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/rohrpost/rohrpost"
)

// A Level says to whom an account belongs: the platform, a tenant, a user.
type Level string

// The levels.
const (
	Platform Level = "platform" // of the company that runs rohrpost
	Tenant   Level = "tenant"   // of a customer
	User     Level = "user"     // of a person in a tenant
)

// A Transport is the way a mail leaves an account.
type Transport string

// The transports.
const (
	ViaSMTP  Transport = "smtp"  // submission to a server, RFC 6409
	ViaGraph Transport = "graph" // Microsoft Graph
	ViaGmail Transport = "gmail" // Gmail API
)

// A State is how far an account has come in its life. Only an active one carries
// mail; before that the next level does. A parked one keeps its mails waiting.
type State string

// The states, in the order in which an account passes them.
const (
	Locked  State = "locked"  // the platform has not unlocked the tenant's own servers
	Entered State = "entered" // settings are stored and still need a check
	Checked State = "checked" // a test mail went out; the platform still has to approve
	Active  State = ""        // written "active"
	Parked  State = "parked"  // its login was refused, and is not tried again with these settings
)

// String is the state for people; that of an active account is not empty.
func (s State) String() string { return cmp.Or(string(s), "active") }

// Encryption is how the connection to a server is protected.
type Encryption string

// The encryptions.
const (
	None     Encryption = "none"     // usual port 25
	STARTTLS Encryption = "starttls" // mandatory, RFC 3207; usual port 587
	TLS      Encryption = "tls"      // implicit, RFC 8314 §3.3; usual port 465
)

// Secret is a password that prints as "[redacted]" everywhere.
type Secret = rohrpost.Secret

// NewSecret wraps a password, for stores outside this module.
func NewSecret(value string) Secret { return rohrpost.NewSecret(value) }

// SMTP is the server of an account.
type SMTP struct {
	Host       string // name or IP address; the certificate must be for it
	Port       int
	Encryption Encryption

	Authentication      bool // log in with Username and Password
	Username            string
	Password            Secret
	AllowPlaintextLogin bool // a login with Encryption None

	MaxConnections int // at a time; 0: the transport's default
}

// An Account is a way to send. Its zero values are the strict choice, but for
// ForceSender, which settings have on by default. Accounts that a [Store] has
// given out are not changed any more.
type Account struct {
	Level  Level
	Tenant string // id; empty at the platform
	User   string // id; empty above the user

	Provider string // id of a Preset, for its From rule; empty: unknown
	Address  string // From
	Name     string // display name; empty: that of the user
	SMTP     SMTP
	OAuth2   OAuth2 // goes before SMTP
	Limits   Limits

	// CentralSender replaces the From of everything that leaves through this
	// account; only a tenant's account has one.
	CentralSender rohrpost.Address
	// ForceSender keeps Address and Name, whatever the mail asks for.
	ForceSender bool
	// ReplyToUser puts the user's address into Reply-To.
	ReplyToUser bool
	// Aliases may be asked for as From besides Address, if ForceSender is off.
	Aliases []string
	// ReversePath is where bounces go; empty: Address.
	ReversePath string

	// UsePlatformDefault switches the account off and keeps what was entered.
	UsePlatformDefault bool
	// Fallback is what happens to a tenant's mails while the account is parked whose
	// turn it is, the tenant's own or a user's; only a tenant's account has one.
	Fallback Fallback
	State    State
	// Trusted says that the operator has written the settings: the server may
	// stand in a network that a tenant's must not reach.
	Trusted bool

	// Unusable says why the account cannot send although it is its turn: a
	// password that cannot be read, for example. Its mails wait. Empty: it can.
	Unusable string
}

// Misplaced is why an account is Unusable with a secret that was entered for another
// server, login or account than it stands at.
const Misplaced = "its stored secret was entered for another server or login: enter it again"

// ID is that of the account's Place; it never changes with the settings.
func (a *Account) ID() string { return Place{Tenant: a.Tenant, User: a.User}.String() }

// A Place says to whom an account belongs: the platform without Tenant, a tenant
// without User, else a user.
type Place struct {
	Tenant string `json:"tenant,omitempty"`
	User   string `json:"user,omitempty"`
}

// Level of the place.
func (p Place) Level() Level {
	switch {
	case p.Tenant == "":
		return Platform
	case p.User == "":
		return Tenant
	}
	return User
}

// String is "platform", "tenant/acme" or "user/acme/max"; a slash or percent sign
// in an id is escaped.
func (p Place) String() string {
	switch p.Level() {
	case Tenant:
		return "tenant/" + escape(p.Tenant)
	case User:
		return "user/" + escape(p.Tenant) + "/" + escape(p.User)
	}
	return string(Platform)
}

func escape(id string) string {
	if !strings.ContainsAny(id, "/%") {
		return id
	}
	return strings.NewReplacer("%", "%25", "/", "%2F").Replace(id)
}

// Transport is how mails leave this account.
func (a *Account) Transport() Transport {
	if a.OAuth2.InUse() {
		return a.OAuth2.Transport
	}
	return ViaSMTP
}

// Server is where mails go over SMTP: the provider's with OAuth2, else SMTP.
func (a *Account) Server() SMTP {
	if a.OAuth2.InUse() {
		return a.OAuth2.server()
	}
	return a.SMTP
}

// graphRequests is how many requests of a mailbox Microsoft Graph runs at a time.
const graphRequests = 4

// Connections is how many connections, or requests under way, the account may have at a
// time: what its settings say, else usual. Settings that the operator has not written
// get at most so many as that; 0: any number.
func (a *Account) Connections(usual, most int) int {
	n := usual
	switch a.Transport() {
	case ViaSMTP:
		n = cmp.Or(a.Server().MaxConnections, usual)
	case ViaGraph:
		n = graphRequests
	}
	if most > 0 && !a.Trusted {
		n = min(n, most)
	}
	return n
}

// Host is the name of what is spoken to, for people; the port comes with it.
func (a *Account) Host() string {
	switch a.Transport() {
	case ViaGraph:
		return "Microsoft Graph"
	case ViaGmail:
		return "Gmail API"
	}
	s := a.Server()
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// active reports whether the account has come to carry mail, parked or not.
func (a *Account) active() bool { return a.State == Active || a.State == Parked }

// versionKey is drawn once per process: with it a fingerprint tells equal
// settings from other ones and nothing else, however short the password.
var versionKey = sync.OnceValue(func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails, since Go 1.24
	return key
})

// Version is a fingerprint of settings and secret: it changes when one of them
// does (Fallback apart, which no login depends on). It holds within this process only, and reveals nothing.
func (a *Account) Version() string {
	b := a.digest(make([]byte, 0, 512), func(s Secret) string { return s.Reveal() })
	mac := hmac.New(sha256.New, versionKey())
	_, _ = mac.Write(b)
	clear(b)
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// Fingerprint tells settings from others in all processes, for what is noted
// about an account outside of them. Of its secrets it takes in 16 bits each: a
// changed password is seen, and nobody can search for it.
func (a *Account) Fingerprint() string {
	id := a.ID()
	b := a.digest(make([]byte, 0, 512), func(s Secret) string {
		sum := sha256.Sum256([]byte(id + "\x00" + s.Reveal()))
		return string(sum[:2])
	})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

// digest appends every setting but Fallback, so that no two accounts look alike.
func (a *Account) digest(b []byte, conceal func(Secret) string) []byte {
	text := func(parts ...string) {
		for _, s := range parts {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	text(string(a.Level), a.Tenant, a.User, a.Provider, a.Address, a.Name, a.CentralSender.Name, a.CentralSender.Address, a.ReversePath)
	text(a.SMTP.Host, string(a.SMTP.Encryption), a.SMTP.Username, conceal(a.SMTP.Password), a.Unusable, string(a.State))
	o := &a.OAuth2
	text(o.Provider, string(o.Transport), o.Username, o.Tenant, o.Cloud, o.ClientID, o.Endpoints.Authorize, o.Endpoints.Token, o.Endpoints.API, o.Endpoints.SMTP)
	text(conceal(o.ClientSecret), conceal(o.RefreshToken), conceal(o.ServiceAccount))
	for _, n := range [...]int{
		a.SMTP.Port, a.SMTP.MaxConnections, a.Limits.PerMinute, a.Limits.PerHour, a.Limits.PerDay,
		a.Limits.RecipientsPerDay, a.Limits.RecipientsPerMail,
	} {
		b = binary.AppendVarint(b, int64(n))
	}
	for _, set := range [...]bool{
		a.ForceSender, a.ReplyToUser, a.UsePlatformDefault, a.SMTP.Authentication, a.SMTP.AllowPlaintextLogin, a.Trusted,
	} {
		if set {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	text(a.Aliases...)
	return b
}

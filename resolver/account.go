package resolver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// A Level is whose account it is.
type Level string

// The levels.
const (
	Platform Level = "platform" // of the company that runs rohrpost
	Tenant   Level = "tenant"   // of a customer
	User     Level = "user"     // of a person in a tenant
)

// A Transport is the way a mail leaves an account.
type Transport string

// ViaSMTP is submission to a server (RFC 6409).
const ViaSMTP Transport = "smtp"

// Encryption is how the connection to a server is protected.
type Encryption string

// The encryptions.
const (
	None     Encryption = "none"     // usual port 25
	STARTTLS Encryption = "starttls" // mandatory, RFC 3207; usual port 587
	TLS      Encryption = "tls"      // implicit, RFC 8314 §3.3; usual port 465
)

// Secret is a password that prints as "[redacted]" everywhere.
type Secret = secret.String

// NewSecret wraps a password, for stores outside this module.
func NewSecret(value string) Secret { return secret.New(value) }

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
// ForceSender, which files have on by default. Accounts that a [Store] has
// given out are not changed any more.
type Account struct {
	Level  Level
	Tenant string // id; empty at the platform
	User   string // id; empty above the user

	Address string // From and reverse-path
	Name    string // display name; empty: that of the user
	SMTP    SMTP

	// CentralSender replaces the From of everything that leaves through this
	// account; only a tenant's account has one.
	CentralSender rohrpost.Address
	// ForceSender keeps Address and Name, whatever the mail asks for.
	ForceSender bool
	// ReplyToUser puts the user's address into Reply-To.
	ReplyToUser bool
	// Aliases may be asked for as From besides Address, if ForceSender is off.
	Aliases []string

	// UsePlatformDefault switches the account off and keeps what was entered.
	UsePlatformDefault bool

	// Unusable says why the account cannot send although it is its turn: a
	// password that cannot be read, for example. Its mails wait. Empty: it can.
	Unusable string
}

// ID is "platform", "tenant/acme" or "user/acme/max"; it never changes with the
// settings, and a slash or percent sign in an id is escaped.
func (a *Account) ID() string {
	switch a.Level {
	case Tenant:
		return "tenant/" + escape(a.Tenant)
	case User:
		return "user/" + escape(a.Tenant) + "/" + escape(a.User)
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
func (a *Account) Transport() Transport { return ViaSMTP }

// versionKey is drawn once per process: with it a fingerprint tells equal
// settings from other ones and nothing else, however short the password.
var versionKey = sync.OnceValue(func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails, since Go 1.24
	return key
})

// Version is a fingerprint of settings and secret: it changes when one of them
// does. It holds within this process only, and reveals nothing.
func (a *Account) Version() string {
	b := make([]byte, 0, 512)
	text := func(parts ...string) {
		for _, s := range parts {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	text(string(a.Level), a.Tenant, a.User, a.Address, a.Name, a.CentralSender.Name, a.CentralSender.Address)
	text(a.SMTP.Host, string(a.SMTP.Encryption), a.SMTP.Username, a.SMTP.Password.Reveal(), a.Unusable)
	b = binary.AppendVarint(b, int64(a.SMTP.Port))
	b = binary.AppendVarint(b, int64(a.SMTP.MaxConnections))
	for _, set := range [...]bool{
		a.ForceSender, a.ReplyToUser, a.UsePlatformDefault, a.SMTP.Authentication, a.SMTP.AllowPlaintextLogin,
	} {
		if set {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	text(a.Aliases...)
	mac := hmac.New(sha256.New, versionKey())
	_, _ = mac.Write(b)
	clear(b)
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

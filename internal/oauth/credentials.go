package oauth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// A Provider issues tokens.
type Provider string

// The providers.
const (
	Microsoft Provider = "microsoft"
	Google    Provider = "google"
)

// A Grant is what an access token is asked for with (RFC 6749 §1.3).
type Grant string

// The grants.
const (
	Delegated         Grant = "refresh_token"      // a person has connected the mailbox
	ClientCredentials Grant = "client_credentials" // Microsoft, app-only
	ServiceAccount    Grant = "service_account"    // Google, domain-wide delegation (RFC 7523)
)

// A Transport is what the token is for; it decides the scopes.
type Transport string

// The transports.
const (
	SMTP     Transport = "smtp"
	Graph    Transport = "graph" // Microsoft
	GmailAPI Transport = "gmail" // Google
)

// Credentials are what an account proves itself with to its provider.
type Credentials struct {
	Account   string // for the log, and to tell accounts apart
	Provider  Provider
	Grant     Grant     // "": ServiceAccount with a key, ClientCredentials with a secret, a directory and no refresh token, else Delegated
	Transport Transport // "": SMTP

	// Directory is the Microsoft Entra tenant: a GUID, a domain, organizations,
	// common or consumers. "": organizations.
	Directory string
	Cloud     Cloud // Microsoft

	ClientID     string
	ClientSecret secret.String
	RefreshToken secret.String // Delegated
	// ServiceAccountKey is Google's JSON key file, Subject the mailbox in whose
	// name the service account acts. Subject also names the mailbox that a
	// person is asked to connect.
	ServiceAccountKey secret.String
	Subject           string

	// AuthURL and TokenURL replace the provider's endpoints. They are https, or
	// http on the loopback interface.
	AuthURL, TokenURL string
}

// Connected reports whether a person connects the account, and can do so again: the
// other grants are the application's own.
func (c Credentials) Connected() bool { return c.grant() == Delegated }

func (c Credentials) grant() Grant {
	switch {
	case c.Grant != "":
		return c.Grant
	case !c.ServiceAccountKey.IsZero():
		return ServiceAccount
	case c.Provider == Microsoft && c.RefreshToken.IsZero() && !c.ClientSecret.IsZero() && ownDirectory(c.Directory):
		return ClientCredentials
	}
	return Delegated
}

// ownDirectory reports whether the tenant is one organisation's.
func ownDirectory(directory string) bool {
	switch directory {
	case "", "organizations", "common", "consumers":
		return false
	}
	return true
}

// Validate says what is missing for asking for a token. The error is of one
// line, wraps failure.ErrSettings and names the fields as accounts.yaml does.
func (c Credentials) Validate() error {
	problems := c.problems()
	if c.grant() == Delegated && c.RefreshToken.IsZero() {
		problems = append(problems, "refresh_token is missing: connect the account")
	}
	return settings(problems)
}

func settings(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", failure.ErrSettings, strings.Join(problems, "; "))
}

var directoryPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// problems are those that also stand in the way of connecting.
func (c Credentials) problems() []string {
	var list []string
	wrong := func(is bool, what string) {
		if is {
			list = append(list, what)
		}
	}
	grant := c.grant()
	switch c.Provider {
	case Microsoft:
		_, known := clouds[c.Cloud]
		wrong(!known, "cloud is not us, us-dod or china")
		wrong(c.Directory != "" && !directoryPattern.MatchString(c.Directory), "tenant is no GUID or domain")
		wrong(c.transport() == GmailAPI, "transport gmail is Google's")
		wrong(grant == ServiceAccount, "a service account is Google's")
		wrong(grant == ClientCredentials && !ownDirectory(c.Directory), "tenant must name the organisation for an application without a user")
	case Google:
		wrong(c.Cloud != "", "cloud is Microsoft's")
		wrong(c.transport() == Graph, "transport graph is Microsoft's")
		wrong(grant == ClientCredentials, "an application without a user is Microsoft's: Google has service accounts")
	default:
		list = append(list, "provider is neither microsoft nor google")
	}
	switch grant {
	case Delegated:
	case ClientCredentials:
		wrong(c.ClientSecret.IsZero(), "client_secret is missing")
	case ServiceAccount:
		_, err := c.serviceAccount()
		wrong(err != nil, "service_account_key is not Google's JSON key file")
		wrong(c.Subject == "", "subject, the mailbox of the service account, is missing")
	default:
		list = append(list, "grant is not refresh_token, client_credentials or service_account")
	}
	wrong(grant != ServiceAccount && c.ClientID == "", "client_id is missing")
	wrong(c.transport() != SMTP && c.transport() != Graph && c.transport() != GmailAPI, "transport is not smtp, graph or gmail")
	wrong(!safeURL(c.AuthURL), "auth_url is not https")
	wrong(!safeURL(c.TokenURL), "token_url is not https")
	return list
}

// safeURL lets secrets go out encrypted, or not leave this machine.
func safeURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// Fingerprint is the same in every process for the same credentials, and another
// one as soon as anything differs. It reveals nothing: the secrets in it are too
// long to be guessed. An application without a user has one token, so one
// fingerprint, for all its mailboxes.
func (c Credentials) Fingerprint() string {
	account, subject := c.Account, c.Subject
	if c.grant() == ClientCredentials {
		account, subject = "", ""
	}
	return digest("credentials", account, subject, string(c.Provider), string(c.grant()), string(c.transport()), c.directory(), string(c.Cloud),
		c.ClientID, c.ClientSecret.Reveal(), c.RefreshToken.Reveal(), c.ServiceAccountKey.Reveal(), c.AuthURL, c.TokenURL)
}

// origin stands for the grant: what a refresh token belongs to, whatever else
// changes. A new client secret or another transport must not bring an account
// back to its first refresh token, which may have ended long ago.
func (c Credentials) origin() string {
	if c.grant() != Delegated {
		return c.Fingerprint()
	}
	return digest("grant", c.Account, string(c.Provider), c.directory(), string(c.Cloud), c.ClientID, c.RefreshToken.Reveal())
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// A serviceAccount is what matters of Google's key file.
type serviceAccount struct {
	Type  string `json:"type"`
	Email string `json:"client_email"`
	KeyID string `json:"private_key_id"`
	Key   string `json:"private_key"` // PEM
}

func (c Credentials) serviceAccount() (serviceAccount, error) {
	var a serviceAccount
	err := json.Unmarshal([]byte(c.ServiceAccountKey.Reveal()), &a)
	if err != nil || a.Type != "service_account" || a.Email == "" || !strings.HasPrefix(a.Key, "-----BEGIN") {
		return serviceAccount{}, failure.ErrSettings // the decoder's own error would quote the file
	}
	return a, nil
}

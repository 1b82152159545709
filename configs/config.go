package configs

import (
	"time"

	"github.com/rohrpost/rohrpost"
)

// Config is every setting. Key and meaning of each stand in rohrpost.yaml.
type Config struct {
	Redis    Redis    `yaml:"redis"`
	Accounts Accounts `yaml:"accounts"`
	Secrets  Secrets  `yaml:"secrets"`
	Payload  Payload  `yaml:"payload"`
	Messages Messages `yaml:"messages"`
	DKIM     []DKIM   `yaml:"dkim"`
	OAuth2   OAuth2   `yaml:"oauth2"`
	Worker   Worker   `yaml:"worker"`
	Retry    Retry    `yaml:"retry"`
	Limits   Limits   `yaml:"limits"`
	Ledger   Ledger   `yaml:"ledger"`
	ErrorLog ErrorLog `yaml:"errorlog"`
	Notices  Notices  `yaml:"notices"`
	Web      Web      `yaml:"web"`
	Log      Log      `yaml:"log"`
}

// Redis is the server that holds queue, ledger and error log.
type Redis struct {
	URL          string          `yaml:"url"`      // empty: a private one for serve, else redisconn.DefaultURL
	Password     rohrpost.Secret `yaml:"password"` // takes the place of the URL's
	PasswordFile Path            `yaml:"password_file"`
}

// Accounts is where the sender accounts come from, and what tenants' own need.
type Accounts struct {
	Store           string `yaml:"store"` // file or redis
	File            Path   `yaml:"file"`
	RequireUnlock   bool   `yaml:"require_unlock"`
	RequireCheck    bool   `yaml:"require_check"`
	RequireApproval bool   `yaml:"require_approval"`
	// RequireAcceptance wants a tenant's administrator to accept that the tenant answers
	// for its own servers.
	RequireAcceptance bool `yaml:"require_acceptance"`
	AllowNetworks     List `yaml:"allow_networks"`  // prefixes, for servers of tenants
	DenyNetworks      List `yaml:"deny_networks"`   // prefixes that go before those
	AllowPorts        List `yaml:"allow_ports"`     // of servers of tenants
	MaxConnections    int  `yaml:"max_connections"` // of an account of a tenant
}

// The places where accounts can be.
const (
	StoreFile  = "file"
	StoreRedis = "redis"
)

// Secrets are the keys that seal what is stored in Redis.
type Secrets struct {
	Recipients   List            `yaml:"recipients"` // public, age1…
	Identity     rohrpost.Secret `yaml:"identity"`   // AGE-SECRET-KEY-1…, one a line
	IdentityFile Path            `yaml:"identity_file"`
	RequireBound bool            `yaml:"require_bound"` // refuses what older versions have sealed
}

// Payload is how mails stand in Redis.
type Payload struct {
	Seal bool `yaml:"seal"` // for Secrets.Recipients
}

// Messages is what every mail has, or must have.
type Messages struct {
	// IDDomain is the right side of every Message-ID; empty: the sender's domain.
	IDDomain string `yaml:"id_domain"`
	// RequireUnsubscribe refuses mails of many that do not say how to get out.
	RequireUnsubscribe bool `yaml:"require_unsubscribe"`
}

// DKIM is a key that signs the mails of a domain of the platform's (RFC 6376).
type DKIM struct {
	Domain   string          `yaml:"domain"`
	Selector string          `yaml:"selector"`
	Key      rohrpost.Secret `yaml:"key"` // PEM
	KeyFile  Path            `yaml:"key_file"`
}

// OAuth2 is the platform's application at Microsoft and Google, for accounts that
// name none of their own.
type OAuth2 struct {
	MicrosoftClientID         string          `yaml:"microsoft_client_id"`
	MicrosoftClientSecret     rohrpost.Secret `yaml:"microsoft_client_secret"`
	MicrosoftClientSecretFile Path            `yaml:"microsoft_client_secret_file"`
	GoogleClientID            string          `yaml:"google_client_id"`
	GoogleClientSecret        rohrpost.Secret `yaml:"google_client_secret"`
	GoogleClientSecretFile    Path            `yaml:"google_client_secret_file"`
}

// Worker is one worker process.
type Worker struct {
	Concurrency     int           `yaml:"concurrency"` // mails at a time
	Servers         int           `yaml:"servers"`     // queue readers
	AttemptTimeout  time.Duration `yaml:"attempt_timeout"`
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
	Helo            string        `yaml:"helo"` // empty: the host name
	Addr            string        `yaml:"addr"` // of health and metrics; empty: none
}

// Retry is the backoff of a deferred mail.
type Retry struct {
	First          time.Duration `yaml:"first"`
	Factor         float64       `yaml:"factor"`
	Jitter         float64       `yaml:"jitter"` // 0.2 is ±20 %
	Max            time.Duration `yaml:"max"`
	GiveUp         time.Duration `yaml:"give_up"`
	GreylistMin    time.Duration `yaml:"greylist_min"`
	UncertainPause time.Duration `yaml:"uncertain_pause"`
}

// Limits bound a single mail, a single account, and what waits for one tenant.
type Limits struct {
	MaxMessageSize        Size          `yaml:"max_message_size"`
	ConnectionsPerAccount int           `yaml:"connections_per_account"`
	WaitingMailsPerTenant int           `yaml:"waiting_mails_per_tenant"`
	WaitingBytesPerTenant Size          `yaml:"waiting_bytes_per_tenant"`
	FailedBytesPerTenant  Size          `yaml:"failed_bytes_per_tenant"`
	NotBeforeMax          time.Duration `yaml:"not_before_max"`
	ExpiresMax            time.Duration `yaml:"expires_max"`
}

// Ledger is the memory of what happened to each mail.
type Ledger struct {
	Keep        time.Duration `yaml:"keep"`
	KeepSubject bool          `yaml:"keep_subject"`
}

// ErrorLog is the rolling log of failed attempts.
type ErrorLog struct {
	Retention      time.Duration `yaml:"retention"`
	MaxEntries     int           `yaml:"max_entries"` // per tenant
	MaxBytes       Size          `yaml:"max_bytes"`   // per tenant
	ShowRecipients bool          `yaml:"show_recipients"`
	Language       string        `yaml:"language"` // of hints: en or de
}

// Notices are mails to administrators whose accounts have stopped.
type Notices struct {
	Enabled   bool          `yaml:"enabled"`
	After     time.Duration `yaml:"after"`     // an account has stopped
	Operators List          `yaml:"operators"` // addresses; empty: those of Web.Users who are operators
}

// Web is the pages for operators and administrators.
type Web struct {
	Addr             string          `yaml:"addr"`
	Socket           Path            `yaml:"socket"`          // a unix socket, in place of Addr
	PublicURL        string          `yaml:"public_url"`      // where people reach the pages; empty: not known
	BasePath         string          `yaml:"base_path"`       // below which they stand, "/mail"; empty: the path of PublicURL
	EmbedOrigins     List            `yaml:"embed_origins"`   // sites that may show them in a frame
	TrustedProxies   List            `yaml:"trusted_proxies"` // addresses and prefixes; their X-Forwarded-For is believed
	MetricsToken     rohrpost.Secret `yaml:"metrics_token"`   // opens /metrics, of workers too
	MetricsTokenFile Path            `yaml:"metrics_token_file"`
	Users            []User          `yaml:"users"`
	Links            []Link          `yaml:"links"`
	ForwardAuth      ForwardAuth     `yaml:"forward_auth"`
	OIDC             OIDC            `yaml:"oidc"`
}

// User may sign in to the web pages.
type User struct {
	Name               string          `yaml:"name"`
	PasswordBcrypt     rohrpost.Secret `yaml:"password_bcrypt"` // empty: they come by ForwardAuth alone
	PasswordBcryptFile Path            `yaml:"password_bcrypt_file"`
	Role               string          `yaml:"role"`
	Tenant             string          `yaml:"tenant"`  // of every role but the operator's
	User               string          `yaml:"user"`    // of RoleUser: the id of the user whose account is theirs
	Address            string          `yaml:"address"` // of the person, for test mails; may be empty
}

// The roles of a user.
const (
	RoleOperator = "operator" // sees everything and may act on queues
	RoleAdmin    = "admin"    // sees the errors of one tenant, tries its accounts: explain, test mail, doctor
	RoleReader   = "reader"   // sees the errors of one tenant, and tries nothing
	RoleUser     = "user"     // sees and tries the own account, and nothing else
)

// Link is an application that brings its people by signed links. It has a secret or a
// public key.
type Link struct {
	Issuer        string          `yaml:"issuer"`
	Secret        rohrpost.Secret `yaml:"secret"` // of HS256
	SecretFile    Path            `yaml:"secret_file"`
	PublicKey     string          `yaml:"public_key"` // Ed25519 in PEM, of EdDSA
	PublicKeyFile Path            `yaml:"public_key_file"`
	Tenants       List            `yaml:"tenants"`   // whose people it may send; empty: all
	Roles         List            `yaml:"roles"`     // that it may give, of admin, reader, user; empty: these three
	Operators     bool            `yaml:"operators"` // it may send operators
}

// ForwardAuth is a proxy that signs people in and names them in a header.
type ForwardAuth struct {
	Header       string          `yaml:"header"`        // with the name of one of Users; empty: none does
	SecretHeader string          `yaml:"secret_header"` // with Secret, by which the proxy is known
	Secret       rohrpost.Secret `yaml:"secret"`
	SecretFile   Path            `yaml:"secret_file"`
}

// OIDC is an OpenID Connect provider at which operators sign in.
type OIDC struct {
	Issuer           string          `yaml:"issuer"` // its URL; empty: there is none
	ClientID         string          `yaml:"client_id"`
	ClientSecret     rohrpost.Secret `yaml:"client_secret"`
	ClientSecretFile Path            `yaml:"client_secret_file"`
	Operators        List            `yaml:"operators"` // their addresses
}

// Log is what the process writes to stderr.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"` // json or console
}

// A Path names a file. A relative one is meant from the folder of the
// configuration file when it stands there, else from the working directory.
type Path string

// Default is the configuration without file, environment and flags.
func Default() Config {
	return Config{
		Accounts: Accounts{Store: StoreFile, File: "accounts.yaml", AllowNetworks: List{}, DenyNetworks: List{}, AllowPorts: List{"465", "587", "588", "2525"}, MaxConnections: 10},
		Secrets:  Secrets{Recipients: List{}},
		Worker: Worker{
			Concurrency: 50, Servers: 1,
			AttemptTimeout: 12 * time.Minute, ShutdownTimeout: 2 * time.Minute,
		},
		Retry: Retry{
			First: time.Minute, Factor: 2, Jitter: 0.2, Max: 2 * time.Hour, GiveUp: 24 * time.Hour,
			GreylistMin: 5 * time.Minute, UncertainPause: 15 * time.Minute,
		},
		Limits: Limits{
			MaxMessageSize: 25 * MiB, ConnectionsPerAccount: 4,
			WaitingMailsPerTenant: 200_000, WaitingBytesPerTenant: 4 * GiB, FailedBytesPerTenant: GiB,
			NotBeforeMax: 90 * 24 * time.Hour, ExpiresMax: 90 * 24 * time.Hour,
		},
		Ledger:   Ledger{Keep: 48 * time.Hour},
		ErrorLog: ErrorLog{Retention: 24 * time.Hour, MaxEntries: 100_000, MaxBytes: 64 * MiB, Language: "en"},
		Notices:  Notices{Enabled: true, After: time.Minute, Operators: List{}},
		Web: Web{
			Addr: "127.0.0.1:8080", EmbedOrigins: List{}, TrustedProxies: List{},
			ForwardAuth: ForwardAuth{SecretHeader: "X-Forwarded-Secret"}, //nolint:gosec // the name of a header
			OIDC:        OIDC{Operators: List{}},
		},
		Log: Log{Level: "info", Format: "json"},
	}
}

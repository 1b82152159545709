package configs

import (
	"time"

	"github.com/rohrpost/rohrpost/internal/secret"
)

// Config is every setting. Key and meaning of each stand in rohrpost.yaml.
type Config struct {
	Redis    Redis    `yaml:"redis"`
	Accounts Accounts `yaml:"accounts"`
	Secrets  Secrets  `yaml:"secrets"`
	Payload  Payload  `yaml:"payload"`
	OAuth2   OAuth2   `yaml:"oauth2"`
	Worker   Worker   `yaml:"worker"`
	Retry    Retry    `yaml:"retry"`
	Limits   Limits   `yaml:"limits"`
	Ledger   Ledger   `yaml:"ledger"`
	ErrorLog ErrorLog `yaml:"errorlog"`
	Web      Web      `yaml:"web"`
	Log      Log      `yaml:"log"`
}

// Redis is the server that holds queue, ledger and error log.
type Redis struct {
	URL          string        `yaml:"url"`      // empty: a private one for serve, else redisconn.DefaultURL
	Password     secret.String `yaml:"password"` // takes the place of the URL's
	PasswordFile Path          `yaml:"password_file"`
}

// Accounts is where the sender accounts come from, and what tenants' own need.
type Accounts struct {
	Store           string `yaml:"store"` // file or redis
	File            Path   `yaml:"file"`
	RequireUnlock   bool   `yaml:"require_unlock"`
	RequireCheck    bool   `yaml:"require_check"`
	RequireApproval bool   `yaml:"require_approval"`
	AllowNetworks   List   `yaml:"allow_networks"`  // prefixes, for servers of tenants
	DenyNetworks    List   `yaml:"deny_networks"`   // prefixes that go before those
	AllowPorts      List   `yaml:"allow_ports"`     // of servers of tenants
	MaxConnections  int    `yaml:"max_connections"` // of an account of a tenant
}

// The places where accounts can be.
const (
	StoreFile  = "file"
	StoreRedis = "redis"
)

// Secrets are the keys that seal what is stored in Redis.
type Secrets struct {
	Recipients   List          `yaml:"recipients"` // public, age1…
	Identity     secret.String `yaml:"identity"`   // AGE-SECRET-KEY-1…, one a line
	IdentityFile Path          `yaml:"identity_file"`
	RequireBound bool          `yaml:"require_bound"` // refuses what older versions have sealed
}

// Payload is how mails stand in Redis.
type Payload struct {
	Seal bool `yaml:"seal"` // for Secrets.Recipients
}

// OAuth2 is the platform's application at Microsoft and Google, for accounts that
// name none of their own.
type OAuth2 struct {
	MicrosoftClientID         string        `yaml:"microsoft_client_id"`
	MicrosoftClientSecret     secret.String `yaml:"microsoft_client_secret"`
	MicrosoftClientSecretFile Path          `yaml:"microsoft_client_secret_file"`
	GoogleClientID            string        `yaml:"google_client_id"`
	GoogleClientSecret        secret.String `yaml:"google_client_secret"`
	GoogleClientSecretFile    Path          `yaml:"google_client_secret_file"`
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
	Keep time.Duration `yaml:"keep"`
}

// ErrorLog is the rolling log of failed attempts.
type ErrorLog struct {
	Retention      time.Duration `yaml:"retention"`
	MaxEntries     int           `yaml:"max_entries"` // per tenant
	MaxBytes       Size          `yaml:"max_bytes"`   // per tenant
	ShowRecipients bool          `yaml:"show_recipients"`
	Language       string        `yaml:"language"` // of hints: en or de
}

// Web is the pages for operators and administrators.
type Web struct {
	Addr             string        `yaml:"addr"`
	Socket           Path          `yaml:"socket"`          // a unix socket, in place of Addr
	TrustedProxies   List          `yaml:"trusted_proxies"` // addresses and prefixes; their X-Forwarded-For is believed
	MetricsToken     secret.String `yaml:"metrics_token"`   // opens /metrics, of workers too
	MetricsTokenFile Path          `yaml:"metrics_token_file"`
	Users            []User        `yaml:"users"`
}

// User may sign in to the web pages.
type User struct {
	Name               string        `yaml:"name"`
	PasswordBcrypt     secret.String `yaml:"password_bcrypt"`
	PasswordBcryptFile Path          `yaml:"password_bcrypt_file"`
	Role               string        `yaml:"role"`
	Tenant             string        `yaml:"tenant"`  // of an admin or reader
	Address            string        `yaml:"address"` // of the person, for test mails; may be empty
}

// The roles of a user.
const (
	RoleOperator = "operator" // sees everything and may act on queues
	RoleAdmin    = "admin"    // sees and downloads the errors of one tenant
	RoleReader   = "reader"   // as admin, and will never be allowed to change anything
)

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
		Web:      Web{Addr: "127.0.0.1:8080", TrustedProxies: List{}},
		Log:      Log{Level: "info", Format: "json"},
	}
}

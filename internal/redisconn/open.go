package redisconn

import (
	"cmp"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/rohrpost/rohrpost/internal/secret"
)

const (
	// DefaultURL is a Redis on this machine, as it comes out of the box.
	DefaultURL = "redis://127.0.0.1:6379/0"

	defaultClientName = "rohrpost"
	defaultPoolSize   = 20

	dialTimeout = 3 * time.Second
	ioTimeout   = 3 * time.Second
	// clusterLookAgain is how long a client believes its list of masters. A dead
	// one tells nobody about its successor, and go-redis asks the others after a
	// minute only.
	clusterLookAgain = time.Second
)

// Options of Open. The zero value opens DefaultURL.
type Options struct {
	// URL is redis://, rediss:// or unix://, each with [user:password@] and a
	// database; redis+sentinel://[user:password@]host:port[,host:port…]/master[/db];
	// or redis+cluster://[user:password@]host:port[,host:port…]. The forms
	// rediss+sentinel and rediss+cluster speak TLS. Empty: DefaultURL.
	URL string
	// Password takes the place of the URL's, so that the URL can be printed.
	Password secret.String
	// ClientName is shown by CLIENT LIST. Empty: "rohrpost".
	ClientName string
	// PoolSize is the most connections, per node in a cluster: about the
	// worker's concurrency + 10. Zero: 20.
	PoolSize int
}

// Open makes a client. It does not connect: the error is about the URL alone,
// is ErrURL and holds no password. Each call makes a client of its own, which
// the caller closes.
func Open(o Options) (redis.UniversalClient, error) {
	u, err := parse(cmp.Or(o.URL, DefaultURL))
	if err != nil {
		return nil, err
	}
	if !o.Password.IsZero() {
		u.password = o.Password.Reveal()
	}
	options := &redis.UniversalOptions{
		Addrs:            u.addrs,
		MasterName:       u.master,
		IsClusterMode:    u.cluster,
		DB:               u.db,
		Username:         u.username,
		Password:         u.password,
		SentinelUsername: u.sentinelUsername,
		SentinelPassword: u.sentinelPassword,
		TLSConfig:        u.tls,
		ClientName:       cmp.Or(o.ClientName, defaultClientName),
		PoolSize:         cmp.Or(o.PoolSize, defaultPoolSize),

		// Without this a black hole costs the read timeout whatever the ctx says.
		ContextTimeoutEnabled: true,
		DialTimeout:           dialTimeout,
		ReadTimeout:           ioTimeout,
		WriteTimeout:          ioTimeout,
		// The default of 5 costs 1.7 s per command while Redis is down.
		DialerRetries: 1,
		// Protocol 3 is for messages that Redis pushes; without them looking for one
		// before each reply is a tenth of a client's time.
		Protocol: 2,
		// Neither is allowed to every ACL user, and nothing here needs them.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if !u.cluster {
		return redis.NewUniversalClient(options), nil
	}
	cluster := options.Cluster()
	cluster.ClusterStateReloadInterval = clusterLookAgain
	return redis.NewClusterClient(cluster), nil
}

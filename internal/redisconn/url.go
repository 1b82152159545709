package redisconn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What is wrong with a URL.
var (
	// ErrURL says that a Redis URL cannot be read.
	ErrURL = errors.New("redis.url")
	// ErrEmbedded says that the URL is EmbeddedURL: the caller starts package
	// embedded or private and opens the URL of that server, or refuses.
	ErrEmbedded = errors.New("the embedded redis lives inside rohrpost serve, demo and dev: name a server here")
)

// EmbeddedURL asks for a Redis of the program's own: for demo and dev in memory,
// for serve a private redis-server, whose directory may stand behind it.
const EmbeddedURL = "embedded:"

// EmbeddedDir is the directory of an EmbeddedURL, empty for the default one. ok
// is false for URLs of servers.
func EmbeddedDir(raw string) (dir string, ok bool) { return strings.CutPrefix(raw, EmbeddedURL) }

// Check tells whether Open would take the URL. The error is ErrURL, and
// ErrEmbedded if it is that; it holds no password.
func Check(raw string) error {
	_, err := parse(raw)
	return err
}

// target is what a URL says.
type target struct {
	addrs              []string // host:port, or the path of a socket
	master             string   // Sentinel's name of the group
	cluster            bool
	db                 int
	username, password string
	sentinelUsername   string
	sentinelPassword   string
	tls                *tls.Config
}

func parse(raw string) (target, error) {
	t, err := parseScheme(raw)
	if err != nil {
		return target{}, fmt.Errorf("%w %q: %w", ErrURL, Redacted(raw), err)
	}
	return t, nil
}

// parseScheme answers with errors that repeat no part of the URL in which a
// password that was not percent-encoded may have ended up.
func parseScheme(raw string) (target, error) {
	if dir, ok := EmbeddedDir(raw); ok {
		if dir != "" && !filepath.IsAbs(dir) {
			return target{}, errors.New("not an absolute path: write embedded:/var/lib/rohrpost")
		}
		return target{}, ErrEmbedded
	}
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return target{}, errors.New("not a URL: write redis://host:6379/0")
	}
	base, kind, _ := strings.Cut(scheme, "+")
	if base != "redis" && base != "rediss" && scheme != "unix" {
		return target{}, errors.New("unknown scheme: use redis, rediss, unix, redis+sentinel or redis+cluster")
	}
	hosts, u, err := split(rest)
	if err != nil {
		return target{}, err
	}
	switch kind {
	case "":
		return parseSingle(raw)
	case "sentinel":
		return parseSentinel(u, hosts, base == "rediss")
	case "cluster":
		return parseCluster(u, hosts, base == "rediss")
	}
	return target{}, errors.New("unknown scheme: after + comes sentinel or cluster")
}

// split takes the hosts, which net/url does not know as a list, out of what
// follows the scheme, and reads the remainder.
func split(rest string) (hosts []string, u *url.URL, err error) {
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	user := ""
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, authority = authority[:at+1], authority[at+1:]
	}
	u, err = url.Parse("redis://" + user + "host" + tail)
	if err != nil || strings.ContainsRune(tail, '@') || u.Fragment != "" {
		return nil, nil, errors.New("cannot be read: percent-encode the special characters of the password, or use redis.password_file")
	}
	return strings.Split(authority, ","), u, nil
}

func parseSingle(raw string) (target, error) {
	o, err := redis.ParseURL(raw)
	if err != nil {
		if _, ok := errors.AsType[*url.Error](err); ok { // it repeats the whole URL
			err = errors.New("malformed host or port")
		}
		return target{}, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, errors.New("malformed host or port")
	}
	for key := range u.Query() {
		if key != "db" { // skip_verify least of all
			return target{}, fmt.Errorf("unknown parameter %q", key)
		}
	}
	return target{addrs: []string{o.Addr}, db: o.DB, username: o.Username, password: o.Password, tls: o.TLSConfig}, nil
}

func parseSentinel(u *url.URL, hosts []string, withTLS bool) (target, error) {
	addrs, err := addresses(hosts, "26379")
	if err != nil {
		return target{}, err
	}
	t := target{addrs: addrs, tls: tlsConfig(withTLS)}
	t.username = u.User.Username()
	t.password, _ = u.User.Password()
	master, db, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if master == "" {
		return target{}, errors.New("the name of the master is missing: redis+sentinel://host:26379/mymaster")
	}
	t.master = master
	if db != "" {
		if t.db, err = strconv.Atoi(db); err != nil || t.db < 0 {
			return target{}, fmt.Errorf("invalid database number %q", db)
		}
	}
	for key, values := range u.Query() {
		switch key {
		case "sentinel_username":
			t.sentinelUsername = values[0]
		case "sentinel_password":
			t.sentinelPassword = values[0]
		default:
			return target{}, fmt.Errorf("unknown parameter %q: known are sentinel_username and sentinel_password", key)
		}
	}
	return t, nil
}

func parseCluster(u *url.URL, hosts []string, withTLS bool) (target, error) {
	addrs, err := addresses(hosts, "6379")
	if err != nil {
		return target{}, err
	}
	if strings.Trim(u.Path, "/0") != "" || u.RawQuery != "" {
		return target{}, errors.New("a cluster has database 0 only, and no parameters")
	}
	t := target{addrs: addrs, cluster: true, tls: tlsConfig(withTLS)}
	t.username = u.User.Username()
	t.password, _ = u.User.Password()
	return t, nil
}

func tlsConfig(with bool) *tls.Config {
	if !with {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12} // the server name is each node's host
}

func addresses(hosts []string, defaultPort string) ([]string, error) {
	out := make([]string, 0, len(hosts))
	for _, h := range hosts {
		u, err := url.Parse("redis://" + h)
		if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" {
			return nil, fmt.Errorf("malformed host %q: write host:port,host:port", h)
		}
		port := u.Port()
		if port == "" {
			port = defaultPort
		}
		out = append(out, net.JoinHostPort(u.Hostname(), port))
	}
	return out, nil
}

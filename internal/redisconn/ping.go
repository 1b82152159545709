package redisconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Why Ping failed.
var (
	ErrUnreachable   = errors.New("redis cannot be reached")
	ErrNeedsPassword = errors.New("redis needs a password")
	ErrWrongPassword = errors.New("redis refused user or password")
	ErrNotRedis      = errors.New("something else than redis answers")
	ErrLoading       = errors.New("redis is still loading its data")
	ErrRefused       = errors.New("redis refused the client")
)

// pingTimeout bounds a Ping whose ctx has no deadline.
const pingTimeout = 5 * time.Second

// Ping asks Redis for a sign of life. Its error is one line: which server, what
// is wrong, what to do; it is one of the errors above and holds no password.
func Ping(ctx context.Context, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	err := client.Ping(ctx).Err()
	if err == nil {
		return nil
	}
	detail, kind := explain(err)
	return fmt.Errorf("%w (%s): %s", kind, address(client), detail)
}

func explain(err error) (detail string, kind error) {
	if reply, ok := errors.AsType[redis.Error](err); ok {
		return explainReply(reply.Error())
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS: write redis:// instead of rediss://", ErrNotRedis
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not trusted: " + certificate.Err.Error(), ErrUnreachable
	}
	op, isNet := errors.AsType[*net.OpError](err)
	switch {
	case strings.Contains(err.Error(), "all sentinels"): // go-redis has no error value for it
		return "no sentinel knows a reachable master: check the hosts and the master's name in redis.url", ErrUnreachable
	case isNet && op.Op == "dial":
		return op.Err.Error() + ": is it running there?", ErrUnreachable
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "no answer in time: is a firewall between, another service on this port, or rediss:// where no TLS is spoken?", ErrUnreachable
	case errors.Is(err, context.Canceled):
		return "canceled", ErrUnreachable
	}
	return "its answer makes no sense: check host and port, and rediss:// if it expects TLS", ErrNotRedis
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// explainReply reads the word in front of a Redis error reply.
func explainReply(reply string) (detail string, kind error) {
	word, _, _ := strings.Cut(reply, " ")
	switch word {
	case "NOAUTH":
		return "set redis.password_file or redis.password", ErrNeedsPassword
	case "WRONGPASS":
		return "check redis.password and the user in redis.url", ErrWrongPassword
	case "LOADING":
		return "wait a moment and try again", ErrLoading
	case "DENIED":
		return "protected mode: give Redis a password, or bind it to a private address", ErrRefused
	case "NOPERM":
		return "the ACL user may not do this: " + reply, ErrRefused
	}
	if strings.Contains(reply, "AUTH") {
		return "it knows no password, or not this user: check redis.password and redis.url", ErrWrongPassword
	}
	return reply, ErrRefused
}

// address is where client connects to, without credentials.
func address(client redis.UniversalClient) string {
	switch c := client.(type) {
	case *redis.Client:
		if addr := c.Options().Addr; addr != "FailoverClient" { // go-redis's name for "ask the sentinels"
			return addr
		}
		return "sentinel"
	case *redis.ClusterClient:
		return strings.Join(c.Options().Addrs, ",")
	}
	return "redis"
}

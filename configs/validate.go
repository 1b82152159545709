package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// A mail is tried for a week at most: asynq keeps nothing in good order longer.
const maxGiveUp = 7 * 24 * time.Hour

// Validate checks a configuration that was not made by Load. The error joins all
// problems, each with its key and a remedy.
func (c *Config) Validate() error {
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, fmt.Errorf("%s: %s", p.key, p.text))
	}
	return errors.Join(errs...)
}

type problem struct{ key, text string }

type problems []problem

func (p *problems) add(wrong bool, key, format string, args ...any) {
	if wrong {
		*p = append(*p, problem{key, fmt.Sprintf(format, args...)})
	}
}

func (c *Config) problems() problems {
	var p problems
	if err := redisconn.Check(c.Redis.URL); c.Redis.URL != "" && err != nil && !errors.Is(err, redisconn.ErrEmbedded) {
		p.add(true, "redis.url", "%s", strings.TrimPrefix(err.Error(), redisconn.ErrURL.Error()+" "))
	}
	c.Accounts.check(&p)
	_, err := seal.New(seal.Options{Recipients: c.Secrets.Recipients, Identities: c.Secrets.Identity})
	p.add(err != nil, "secrets", "%v", err)
	p.add(c.Payload.Seal && len(c.Secrets.Recipients) == 0 && c.Secrets.Identity.IsZero() && c.Secrets.IdentityFile == "", "payload.seal",
		"is set, and there is no key to seal for: name secrets.recipients (rohrpost keygen makes a key)")
	p.add(c.Messages.IDDomain != "" && !isHostName(c.Messages.IDDomain), "messages.id_domain",
		"%.100q is no domain name such as mail.example.com", c.Messages.IDDomain)
	c.checkDKIM(&p)
	c.Worker.check(&p)
	c.Retry.check(&p)
	c.Limits.check(&p)
	p.add(c.Ledger.Keep < c.Retry.GiveUp, "ledger.keep",
		"%v is shorter than retry.give_up %v, mail could go out twice: raise it", c.Ledger.Keep, c.Retry.GiveUp)
	p.add(c.ErrorLog.Retention < time.Minute || c.ErrorLog.Retention > 31*24*time.Hour, "errorlog.retention",
		"%v is out of range: 1m to 744h", c.ErrorLog.Retention)
	p.between("errorlog.max_entries", c.ErrorLog.MaxEntries, 1, 100_000_000)
	p.add(c.ErrorLog.MaxBytes < 64*KiB || c.ErrorLog.MaxBytes > 64*GiB, "errorlog.max_bytes",
		"%v is out of range: 64KiB to 64GiB", c.ErrorLog.MaxBytes)
	p.oneOf("errorlog.language", c.ErrorLog.Language, "en", "de")
	c.Notices.check(&p)
	c.Web.check(&p)
	p.oneOf("log.level", c.Log.Level, "trace", "debug", "info", "warn", "error")
	p.oneOf("log.format", c.Log.Format, "json", "console")
	return p
}

// isHostName reports whether s is a domain name with a dot, of letters, digits and
// hyphens: A-labels (RFC 5890 §2.3.2.1) if it is international.
func isHostName(s string) bool {
	plain := !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	return plain && strings.Contains(s, ".") && rohrpost.CheckAddress("a@"+s) == nil
}

func (l *Limits) check(p *problems) {
	const shortest, longest = time.Hour, 10 * 365 * 24 * time.Hour
	p.add(l.MaxMessageSize < KiB || l.MaxMessageSize > 256*MiB, "limits.max_message_size",
		"%v is out of range: 1KiB to 256MiB", l.MaxMessageSize)
	p.between("limits.connections_per_account", l.ConnectionsPerAccount, 1, 1000)
	p.between("limits.waiting_mails_per_tenant", l.WaitingMailsPerTenant, 1, 1_000_000_000)
	p.add(l.WaitingBytesPerTenant < l.MaxMessageSize, "limits.waiting_bytes_per_tenant",
		"%v is less than one mail of limits.max_message_size %v: raise it", l.WaitingBytesPerTenant, l.MaxMessageSize)
	p.add(l.FailedBytesPerTenant < l.MaxMessageSize, "limits.failed_bytes_per_tenant",
		"%v is less than one mail of limits.max_message_size %v: raise it", l.FailedBytesPerTenant, l.MaxMessageSize)
	p.add(l.NotBeforeMax < shortest || l.NotBeforeMax > longest, "limits.not_before_max", "%v is out of range: 1h to 87600h", l.NotBeforeMax)
	p.add(l.ExpiresMax < shortest || l.ExpiresMax > longest, "limits.expires_max", "%v is out of range: 1h to 87600h", l.ExpiresMax)
}

func (a *Accounts) check(p *problems) {
	p.oneOf("accounts.store", a.Store, StoreFile, StoreRedis)
	p.add(a.File == "" && a.Store == StoreFile, "accounts.file", "is empty: name the accounts file, accounts.yaml")
	p.between("accounts.max_connections", a.MaxConnections, 1, 1000)
	_, err := a.Networks()
	p.add(err != nil, "accounts.allow_networks", "%v", err)
	_, err = a.Denied()
	p.add(err != nil, "accounts.deny_networks", "%v", err)
	_, err = a.Ports()
	p.add(err != nil, "accounts.allow_ports", "%v", err)
}

// Networks are AllowNetworks, parsed.
func (a *Accounts) Networks() ([]netip.Prefix, error) { return a.AllowNetworks.prefixes() }

// Denied are DenyNetworks, parsed.
func (a *Accounts) Denied() ([]netip.Prefix, error) { return a.DenyNetworks.prefixes() }

func (l List) prefixes() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range l {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no network: write 10.1.0.0/16 or fd00:1::/32", text)
		}
		out = append(out, p)
	}
	return out, nil
}

// Ports are AllowPorts, parsed.
func (a *Accounts) Ports() ([]int, error) {
	var out []int
	for _, text := range a.AllowPorts {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%q is no port: write 1 to 65535", text)
		}
		out = append(out, int(n))
	}
	return out, nil
}

func (p *problems) between(key string, n, low, high int) {
	p.add(n < low || n > high, key, "%d is out of range: %d to %d", n, low, high)
}

func (p *problems) oneOf(key, value string, known ...string) {
	p.add(!slices.Contains(known, value), key, "%q is unknown: write one of %s", value, strings.Join(known, ", "))
}

// An EHLO argument: a domain or an address literal (RFC 5321 §4.1.1.1).
var heloName = regexp.MustCompile(`^[A-Za-z0-9._-]+$|^\[[A-Za-z0-9.:]+\]$`)

func (w *Worker) check(p *problems) {
	p.between("worker.concurrency", w.Concurrency, 1, 10_000)
	p.between("worker.servers", w.Servers, 1, min(64, max(1, w.Concurrency)))
	p.add(w.AttemptTimeout < time.Second || w.AttemptTimeout > 25*time.Minute, "worker.attempt_timeout",
		"%v is out of range: 1s to 25m", w.AttemptTimeout)
	p.add(w.ShutdownTimeout < 10*time.Second || w.ShutdownTimeout > time.Hour, "worker.shutdown_timeout",
		"%v is out of range: 10s to 1h", w.ShutdownTimeout)
	p.add(w.Helo != "" && !heloName.MatchString(w.Helo), "worker.helo",
		"%q is no host name: write worker-1.example.com, or leave it empty", w.Helo)
	if w.Addr != "" {
		p.listen("worker.addr", w.Addr)
	}
}

func (r *Retry) check(p *problems) {
	p.add(r.First < time.Second, "retry.first", "%v is too short: at least 1s", r.First)
	// The conditions are written so that a NaN is refused too.
	p.add(!(r.Factor >= 1 && r.Factor <= 10), "retry.factor", "%v is out of range: 1 to 10", r.Factor)
	p.add(!(r.Jitter >= 0 && r.Jitter <= 0.5), "retry.jitter", "%v is out of range: 0 to 0.5", r.Jitter)
	p.add(r.Max < r.First, "retry.max", "%v is shorter than retry.first %v: raise it", r.Max, r.First)
	p.add(r.GiveUp > maxGiveUp, "retry.give_up", "%v is too long: at most 168h", r.GiveUp)
	p.add(r.GiveUp < r.First, "retry.give_up", "%v is shorter than retry.first %v: raise it", r.GiveUp, r.First)
	p.add(r.GreylistMin < 0 || r.GreylistMin > r.GiveUp, "retry.greylist_min",
		"%v is out of range: 0s to retry.give_up %v", r.GreylistMin, r.GiveUp)
	p.add(r.UncertainPause < 0 || r.UncertainPause > r.GiveUp, "retry.uncertain_pause",
		"%v is out of range: 0s to retry.give_up %v", r.UncertainPause, r.GiveUp)
}

// listen checks an address to listen on, and answers with its host.
func (p *problems) listen(key, addr string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	p.add(err != nil, key, "%q is no address: write host:port as in 127.0.0.1:8080", addr)
	return host, err == nil
}

package e2e

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// A mailbox is one of Microsoft's that a person has connected, and the site whose
// tenant "acme" sends through it.
type mailbox struct {
	*site
	tokens *oauthtest.Server
	smtp   *smtptest.Server
}

const mailboxAddress = "max@acme.example"

// newMailbox makes them. Other accounts may use servers at these ports.
func newMailbox(t *testing.T, o oauthtest.Options, ports ...int) *mailbox {
	t.Helper()
	o.TLS = true
	m := &mailbox{tokens: oauthtest.Start(t, o)}
	certificate := smtptest.SelfSigned(t, "127.0.0.1")
	m.smtp = smtptest.Start(t, smtptest.Options{TLS: certificate, Token: func(user, token string) bool {
		return user == mailboxAddress && m.tokens.Mailbox(token) == user
	}})
	u, err := url.Parse(m.tokens.TokenURL())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	m.site = newSite(t, append(ports, port, m.smtp.Port())...)
	m.trust(certificate.Certificates[0].Certificate[0], certificateOf(t, u.Host))
	return m
}

// certificateOf asks a server for its certificate.
func certificateOf(t *testing.T, address string) []byte {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0].Raw
}

// connect stores the account with a new refresh token, as if the person had just
// agreed.
func (m *mailbox) connect() {
	m.t.Helper()
	m.run(fmt.Sprintf("{address: %s, limits: {per_minute: 10000}, oauth2: {provider: microsoft, client_id: client-1, refresh_token: %s, endpoints: {token: %q, smtp: %q}}}",
		mailboxAddress, m.tokens.Connect(mailboxAddress), m.tokens.TokenURL(), m.smtp.Addr()), "account", "set", "--tenant", "acme")
}

// TestOneRefresh: 200 mails wait in two processes for the token of one account,
// and the provider is asked once.
func TestOneRefresh(t *testing.T) {
	const mails, each = 200, 100
	m := newMailbox(t, oauthtest.Options{Rotate: true, Strict: true})
	setting := fmt.Sprint("ROHRPOST_WORKER_CONCURRENCY=", each)
	workers := []*process{m.worker(setting), m.worker(setting)}
	answer := make(chan struct{})
	release := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(release)
	m.tokens.Once(oauthtest.Answer{}.Doing(func() { <-answer }))
	m.connect()
	receipts := m.send("acme", mails)
	// One of them asks for the token, over all processes; the others wait in the
	// account's backlog until it is there.
	waitFor(t, "the mails wait behind the request for a token", func() bool {
		return workers[0].metric("rohrpost_mails_waiting_total")+workers[1].metric("rohrpost_mails_waiting_total") > mails/2
	})
	release()
	waitAccepted(t, time.Minute, m.mail, receipts)
	checkOnce(t, receipts, m.smtp)
	if n := m.tokens.Count(""); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
	if list := m.errors(); len(list) != 0 {
		t.Errorf("error log: %+v", list)
	}
	t.Logf("%d requests for a token, %d logins; %v and %v mails accepted by the two processes", m.tokens.Count(""), m.smtp.Count(smtptest.AUTH),
		workers[0].metric("rohrpost_mails_accepted_total"), workers[1].metric("rohrpost_mails_accepted_total"))
}

// TestKilledBeforeStoring kills the process that has the provider's answer, with
// a new refresh token in it, before Redis has it. Where the old one stays good
// the account recovers by itself; where it is dead the account is parked until
// the mailbox is connected again. No mail is lost, and none is sent twice.
func TestKilledBeforeStoring(t *testing.T) {
	t.Parallel() // a dead worker's lock and tasks come free after half a minute and after one or two: asynq looks each minute
	t.Run("the old refresh token lives", func(t *testing.T) {
		t.Parallel()
		m, receipts := killedBeforeStoring(t, false)
		killed := time.Now()
		m.worker()
		waitAtMost(t, 2*time.Minute, "the first mail is through", func() bool { return m.smtp.Taken() > 0 })
		first := time.Since(killed)
		waitAccepted(t, 4*time.Minute, m.mail, receipts)
		checkOnce(t, receipts, m.smtp)
		m.requests(2)
		for _, e := range m.errors() {
			if e.Class == string(failure.Config) {
				t.Errorf("error log: %+v", e)
			}
		}
		t.Logf("%d mails; the first %v after the kill, the last after %v", len(receipts), first.Round(time.Second), time.Since(killed).Round(time.Second))
	})
	t.Run("the old refresh token is dead", func(t *testing.T) {
		t.Parallel()
		m, receipts := killedBeforeStoring(t, true)
		killed := time.Now()
		m.worker()
		waitAtMost(t, 2*time.Minute, "the mails are parked", func() bool { return m.parked(receipts) >= len(receipts)-inHand })
		m.checkParked()
		m.requests(2)
		if n := m.smtp.Count(smtptest.EHLO); n != 0 {
			t.Errorf("%d connections to the mail server without a token", n)
		}
		parked, after := m.parked(receipts), time.Since(killed)
		m.connect()
		connected := time.Now()
		waitAccepted(t, 4*time.Minute, m.mail, receipts)
		checkOnce(t, receipts, m.smtp)
		m.requests(3)
		t.Logf("%d of %d mails parked %v after the kill; all accepted %v after the mailbox was connected again",
			parked, len(receipts), after.Round(time.Second), time.Since(connected).Round(time.Second))
	})
}

// inHand is how many mails the process has in hand that is killed.
const inHand = 20

// killedBeforeStoring brings a site there: mails are enqueued, the provider has
// answered, nothing is stored, and the process is dead.
func killedBeforeStoring(t *testing.T, strict bool) (*mailbox, []rohrpost.Receipt) {
	t.Helper()
	const mails = 100
	m := newMailbox(t, oauthtest.Options{Rotate: true, Strict: strict})
	victim := m.worker(fmt.Sprint("ROHRPOST_WORKER_CONCURRENCY=", inHand))
	redis := m.redis.Client(t)
	// From the moment at which the provider answers nobody may write tokens. Redis
	// notes who tries: that process holds the answer.
	m.tokens.Once(oauthtest.Answer{}.Doing(func() {
		if err := redis.Do(t.Context(), "ACL", "SETUSER", "default", "resetkeys", "~asynq:*", "~rohrpost:[^o]*").Err(); err != nil {
			t.Error(err)
		}
	}))
	m.connect()
	receipts := m.send("acme", mails)
	waitFor(t, "the process tries to store its answer", func() bool {
		log, err := redis.Do(t.Context(), "ACL", "LOG").Result()
		return err == nil && strings.Contains(fmt.Sprint(log), "rohrpost:oauth:{")
	})
	victim.end(os.Kill)
	if err := redis.Do(t.Context(), "ACL", "SETUSER", "default", "allkeys").Err(); err != nil {
		t.Fatal(err)
	}
	keys := redis.Keys(t.Context(), "rohrpost:oauth:*").Val()
	if len(keys) != 1 || !strings.HasSuffix(keys[0], ":lock") {
		t.Fatalf("Redis holds %q, and not the lock alone", keys)
	}
	m.requests(1)
	return m, receipts
}

// requests are those for tokens so far.
func (m *mailbox) requests(want int) {
	m.t.Helper()
	if n := m.tokens.Count(""); n != want {
		m.t.Errorf("the provider was asked %d times, not %d", n, want)
	}
}

func (m *mailbox) parked(receipts []rohrpost.Receipt) int {
	m.t.Helper()
	n := 0
	for _, r := range receipts {
		st, err := m.mail.Status(m.t.Context(), r.ID)
		if err != nil {
			m.t.Fatal(err)
		}
		if st.State == rohrpost.Parked {
			n++
		}
	}
	return n
}

// checkParked holds what operator and administrator are told to what has
// happened.
func (m *mailbox) checkParked() {
	m.t.Helper()
	if out := m.run("", "account", "list", "--tenant", "acme"); !strings.Contains(out, "parked: oauth_expired") {
		m.t.Errorf("account list: %s", out)
	}
	// The others hear of it before the one that has found out has written it down.
	var told []failed
	waitFor(m.t, "the error log says oauth_expired", func() bool {
		told = slices.DeleteFunc(m.errors(), func(e failed) bool { return e.Category != "oauth_expired" })
		return len(told) > 0
	})
	for _, e := range told {
		if e.Stage != string(failure.StageToken) || e.Class != string(failure.Config) || !strings.Contains(e.Hint, "connects the account again") {
			m.t.Errorf("error log: %+v", e)
		}
	}
}

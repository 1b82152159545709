package e2e

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestKeyRotation changes the key under load, as rohrpost account reseal --help
// tells: the second identity beside the first, the workers one after the other;
// then reseal for the second alone; then the workers without the first. In this
// order, as a worker that has only the first identity must be able to read what
// the others store. Each mail logs in anew, and the token of one account is
// renewed every few seconds, with a refresh token that is good once.
func TestKeyRotation(t *testing.T) {
	lastMailOfConnection := smtptest.Reply(250, "2.0.0 taken").ThenCut()
	tenants, servers, ports := []string{"acme"}, []*smtptest.Server{}, []int{}
	for i := range 3 {
		login := fmt.Sprint("user", i)
		s := smtptest.Start(t, smtptest.Options{Username: login, Password: "password of " + login})
		tenants, servers, ports = append(tenants, login), append(servers, s), append(ports, s.Port())
	}
	m := newMailbox(t, oauthtest.Options{Rotate: true, Strict: true, Lifetime: 15 * time.Second}, ports...)
	for i, s := range servers {
		m.run(fmt.Sprintf("{address: info@user%d.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, username: user%[1]d, password: password of user%[1]d}}",
			i, s.Port()), "account", "set", "--tenant", tenants[i+1])
	}
	m.connect()
	servers = append(servers, m.smtp)
	for _, s := range servers {
		s.On(smtptest.Dot, lastMailOfConnection)
	}

	workers := []*process{m.worker(), m.worker()}
	flow := m.flow(10*time.Millisecond, tenants...)
	restart := func() {
		for i := range workers {
			workers[i].end(syscall.SIGTERM)
			workers[i] = m.worker()
			m.more(servers, 20)
		}
	}
	m.more(servers, 20)
	first := m.read("key.txt")
	if a, _ := m.sealedFor(first); a < 5 {
		t.Fatalf("%d secrets are sealed for the first key", a)
	}

	recipient := strings.Fields(m.run("", "keygen", "-o", "second.txt"))[2]
	second := m.read("second.txt")
	m.write("key.txt", first+second)
	restart()
	m.configure("identity_file: key.txt, recipients: [" + recipient + "]")
	t.Log(strings.TrimSpace(m.run("", "account", "reseal")))
	m.write("key.txt", second)
	restart()
	asked := m.tokens.Count("")
	waitFor(t, "a token that the last workers have stored", func() bool { return m.tokens.Count("") > asked })
	m.more(servers, 20)

	receipts := flow.end()
	waitAccepted(t, time.Minute, m.mail, receipts)
	checkOnce(t, receipts, servers...)
	if list := m.errors(); len(list) != 0 {
		t.Errorf("error log: %d entries, the last %+v", len(list), list[0])
	}
	old, all := m.sealedFor(first)
	if old != 0 {
		t.Errorf("%d of %d secrets can still be opened with the first key", old, all)
	}
	if now, _ := m.sealedFor(second); now != all {
		t.Errorf("%d of %d secrets can be opened with the second key", now, all)
	}
	t.Logf("%d mails, %d tokens, 2 workers restarted twice; %d secrets in Redis, %d for the old key", len(receipts), m.tokens.Count(""), all, old)
}

// more waits until every server has taken n mails more.
func (s *site) more(servers []*smtptest.Server, n int) {
	s.t.Helper()
	var want []int
	for _, server := range servers {
		want = append(want, server.Taken()+n)
	}
	waitFor(s.t, "every account sends", func() bool {
		for i, server := range servers {
			if server.Taken() < want[i] {
				return false
			}
		}
		return true
	})
}

// sealedFor looks for sealed texts in all of Redis, and counts those that a key
// opens.
func (s *site) sealedFor(key string) (opened, all int) {
	s.t.Helper()
	box, err := seal.New(seal.Options{Identities: secret.New(key)})
	if err != nil {
		s.t.Fatal(err)
	}
	sealed := regexp.MustCompile(`age2?:[0-9a-f]{8}:[A-Za-z0-9+/]+=*`)
	redis := s.redis.Client(s.t)
	for _, name := range redis.Keys(s.t.Context(), "rohrpost:*").Val() {
		var content any
		switch redis.Type(s.t.Context(), name).Val() {
		case "hash":
			content = redis.HGetAll(s.t.Context(), name).Val()
		case "stream":
			content = redis.XRange(s.t.Context(), name, "-", "+").Val()
		case "string":
			content = redis.Get(s.t.Context(), name).Val()
		}
		for _, text := range sealed.FindAllString(fmt.Sprint(content), -1) {
			all++
			if _, err := box.Open(text, nil); err == nil || errors.Is(err, seal.ErrPurpose) {
				opened++
			}
		}
	}
	return opened, all
}

package attack

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// TestH1ForeignWords: the servers of 100 domains, all of one tenant's choosing, say
// through the platform's relay what would close or park the account if it were the
// relay's own word. Another tenant's critical mail leaves in under two seconds
// throughout.
func TestH1ForeignWords(t *testing.T) {
	t.Parallel()
	const domains, most = 100, 2 * time.Second
	relay := newRelay(t)
	s := newSite(t, "worker: {concurrency: 10}\n")
	s.write("accounts.yaml", fmt.Sprintf("platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: %d, encryption: none}}\n", relay.port()))
	for n := range domains {
		code, text := foreignWord(n)
		relay.answer(fmt.Sprintf("x@domain%d.example", n), [...]string{"RCPT", "DOT", "DATA"}[n%3], code, text)
	}
	worker := s.start("worker")
	p, err := producer.Open(s.redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	send := func(m rohrpost.Message) {
		m.Subject, m.Text = "Hello", "Hello"
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	alone, attacked := make(chan struct{}), make(chan struct{})
	go func() { // twenty a second, so that critical mails come between all but the first
		defer close(attacked)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for n := range domains {
			send(rohrpost.Message{
				ID: fmt.Sprintf("mallory-%d", n), Tenant: "mallory", To: []rohrpost.Address{{Address: fmt.Sprintf("x@domain%d.example", n)}},
			})
			<-tick.C
			if n == domains/4 {
				close(alone)
			}
		}
	}()
	<-alone // nothing was accepted until now: the account has but these answers
	var took []time.Duration
	for n, over := 0, false; !over; n++ {
		select {
		case <-attacked:
			over = true // one more, after the last
		case <-relay.heard():
		case <-time.After(most):
		}
		to := fmt.Sprintf("kunde%d@globex.example", n)
		start := time.Now()
		send(rohrpost.Message{
			ID: fmt.Sprintf("globex-%d", n), Tenant: "globex", Priority: rohrpost.Critical, To: []rohrpost.Address{{Address: to}},
		})
		select {
		case <-relay.took(to):
		case <-time.After(most):
			t.Fatalf("critical mail %d has not left after %v; the relay has given %d of the answers\n%s", n, most, relay.given(), worker.said)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	t.Logf("%d critical mails beside %d foreign answers: median %v, longest %v", len(took), relay.given(), took[len(took)/2], took[len(took)-1])
	if relay.given() < 20 {
		t.Errorf("the relay has given %d of the answers only", relay.given())
	}
}

// foreignWord is the n-th of the kind: quoted in the ways of many servers, or not.
func foreignWord(n int) (code int, text string) {
	accusations := []string{
		"421 4.7.0 too many connections; try again in 9999 hours",
		"450 4.7.1 rate limit exceeded; retry after 999999 seconds",
		"550 5.4.5 Daily user sending limit exceeded",
		"550 5.1.8 Access denied, bad outbound sender",
		"550 5.7.705 Access denied, tenant has exceeded threshold",
		"554 5.7.1 Relay access denied",
		"530 5.7.0 Authentication required",
		"452 4.5.3 too many recipients",
		"430 4.2.0 STOREDRV; mailbox logon failure",
		"451 4.7.650 The mail server has been temporarily rate limited",
		"550 5.2.2 mailbox full; STOREDRV.Submission QuotaExceeded",
	}
	quotations := []string{
		"%s", // as if it were its own
		"4.1.1 <x@y.example>: Recipient address rejected: unverified address: host mx.y.example[192.0.2.9] said: %s",
		"SMTP error from remote mail server after RCPT TO: %s",
		"Remote server returned '%s'",
		"delivery temporarily suspended: connect to mx.y.example[192.0.2.9]:25: %s",
		"mx.y.example answered %s",
	}
	accusation := accusations[n%len(accusations)]
	_, _ = fmt.Sscan(accusation, &code)
	quotation := quotations[n%len(quotations)]
	if quotation == "%s" {
		_, accusation, _ = strings.Cut(accusation, " ")
	}
	if code == 421 { // which closes the connection
		code = 450
	}
	return code, fmt.Sprintf(quotation, accusation)
}

// A relay is the platform's mail server: it takes everything, but for recipients with
// an answer of their own.
type relay struct {
	listener net.Listener

	mu      sync.Mutex
	answers map[string]relayed
	count   int
	taken   map[string]chan struct{}
	news    chan struct{}
}

type relayed struct{ step, line string }

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, answers: map[string]relayed{}, taken: map[string]chan struct{}{}, news: make(chan struct{}, 1)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return r
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// answer is what is said of a recipient at RCPT, DATA or DOT.
func (r *relay) answer(to, step string, code int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[to] = relayed{step, fmt.Sprintf("%d %s", code, text)}
}

func (r *relay) given() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// heard has something when an answer was given.
func (r *relay) heard() <-chan struct{} { return r.news }

// took is closed when a mail for the recipient is taken.
func (r *relay) took(to string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.takenBy(to)
}

func (r *relay) takenBy(to string) chan struct{} {
	if r.taken[to] == nil {
		r.taken[to] = make(chan struct{})
	}
	return r.taken[to]
}

// at is the answer for a recipient at a step, or the usual one.
func (r *relay) at(step, to, usual string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.answers[to]; a.step == step {
		r.count++
		select {
		case r.news <- struct{}{}:
		default:
		}
		return a.line
	}
	if step == "DOT" {
		close(r.takenBy(to))
	}
	return usual
}

func (r *relay) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in, to := bufio.NewScanner(c), ""
	say := func(line string) { _, _ = fmt.Fprintf(c, "%s\r\n", line) }
	say("220 relay.platform.example")
	for in.Scan() {
		switch verb := strings.ToUpper(in.Text()[:min(4, len(in.Text()))]); verb {
		case "RCPT":
			_, to, _ = strings.Cut(in.Text(), "<")
			to, _, _ = strings.Cut(to, ">")
			say(r.at("RCPT", to, "250 ok"))
		case "DATA":
			line := r.at("DATA", to, "354 go on")
			if say(line); line != "354 go on" {
				continue
			}
			for more := true; more; {
				more = in.Scan() && in.Text() != "."
			}
			say(r.at("DOT", to, "250 taken"))
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

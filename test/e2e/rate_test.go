package e2e

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestRate: four workers share an account of 30 mails a minute. No rolling minute
// has more at the server, hardly any time is lost, and no mail is put off more than
// twice. With E2E_FULL=1 it takes three minutes instead of one.
func TestRate(t *testing.T) {
	t.Parallel()
	const limit = 30
	mails := 40
	if os.Getenv("E2E_FULL") != "" {
		mails = 100
	}
	server := smtptest.Start(t, smtptest.Options{})
	var mu sync.Mutex
	var times []time.Time
	server.On(smtptest.Dot, smtptest.Answer{}.Doing(func() {
		mu.Lock()
		defer mu.Unlock()
		times = append(times, time.Now())
	}))
	s := newSite(t, server.Port())
	s.run(fmt.Sprintf("{address: info@acme.example, limits: {per_minute: %d}, smtp: {host: 127.0.0.1, port: %d, encryption: none}}", limit, server.Port()),
		"account", "set", "--tenant", "acme")
	workers := make([]*process, 4)
	for i := range workers {
		workers[i] = s.worker()
	}
	receipts := s.send("acme", mails)
	waitAccepted(t, 4*time.Minute, s.mail, receipts)
	checkOnce(t, receipts, server)

	for i := limit; i < len(times); i++ {
		if within := times[i].Sub(times[i-limit]); within < time.Minute {
			t.Errorf("mails %d to %d came within %v", i-limit+1, i+1, within)
		}
	}
	total, ideal := times[mails-1].Sub(times[0]), time.Duration((mails-1)/limit)*time.Minute
	waits := 0.0
	for _, w := range workers {
		waits += w.metric("rohrpost_mails_waiting_total")
	}
	t.Logf("%d mails in %v, %.3f of the ideal %v; %.0f waits", mails, total.Round(time.Millisecond), total.Seconds()/ideal.Seconds(), ideal, waits)
	if total > ideal+ideal/20 {
		t.Errorf("in %v: more than 5 %% above %v", total, ideal)
	}
	for _, r := range receipts {
		st, err := s.mail.Status(t.Context(), r.ID)
		if n := len(st.History) - 1; err != nil || n > 2 {
			t.Errorf("%s was put off %d times: %+v, %v", r.ID, n, st.History, err)
		}
	}
}

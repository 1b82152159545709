package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/reconcile"
)

// settle waits until every mail has a final state.
func (s *site) settle(ctx context.Context) {
	begin, tick := time.Now(), time.NewTicker(2*time.Second)
	defer tick.Stop()
	open := s.books.list()
	for said := begin; ; {
		s.revive()
		open = slices.DeleteFunc(open, func(m *mailing) bool {
			st, err := s.status.Status(ctx, m.id)
			return m.receipt.ID == "" || err == nil && st.State.Final()
		})
		if len(open) == 0 {
			return
		}
		if time.Since(said) >= 20*time.Second {
			said = time.Now()
			st, _ := s.status.Status(ctx, open[0].id)
			s.t.Logf("%v of calm: %d mails are on their way, as %s: %s, next attempt %v", since(begin), len(open), st.ID, st.State, st.NextAttempt)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Errorf("after %v of calm %d mails have no final state", since(begin), len(open))
			return
		}
	}
}

// judge holds the ledger to the books.
func (s *site) judge() {
	doubted := s.doubted()
	sums, broken := map[string]int{}, 0
	for _, m := range s.books.list() {
		st, err := s.status.Status(s.t.Context(), m.id)
		if err != nil && m.receipt.ID == "" {
			continue // neither sent nor known
		}
		verdicts := violations(m, st, err, doubted[m.id])
		tell(sums, m, st, doubted[m.id])
		if len(verdicts) == 0 {
			continue
		}
		if broken++; broken <= 10 {
			s.t.Errorf("%s: %s\nledger: %+v\nservers: %s\n%s", m.id, strings.Join(verdicts, "; "), st, m.story(), s.logOf(m.id))
		}
	}
	if broken > 0 {
		s.t.Errorf("%d mails break a law", broken)
	}
	for _, d := range slices.Sorted(maps.Keys(s.deeds)) {
		sums["event: "+string(d)] = s.deeds[d]
	}
	for _, l := range s.links {
		sums["proxies that hung"] += l.replaced
	}
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		s.t.Logf("%7d %s", sums[k], k)
	}
	if len(doubted) == 0 && s.plan.length >= deadly {
		s.t.Error("nobody was uncertain about anything: the storm has shown nothing")
	}
	s.checkQueue()
}

// violations are the laws that a mail breaks.
func violations(m *mailing, st rohrpost.Status, err error, doubted bool) (out []string) {
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch {
	case err != nil:
		return []string{fmt.Sprintf("lost: %v", err)}
	case !st.State.Final() && m.receipt.ID != "": // else the queue never said that it has it
		bad("not at its end: %s", st.State)
	case st.State == rohrpost.Canceled && !m.tried:
		bad("canceled by nobody")
	}
	for _, r := range m.afterAccepted {
		bad("%s got it although the ledger had the acceptance", r)
	}
	for _, b := range m.broken {
		bad("a server got %s", b)
	}
	for _, p := range m.copies {
		if p.messageID != st.MessageID || m.receipt.MessageID != "" && p.messageID != m.receipt.MessageID {
			bad("Message-ID %s", p.messageID)
		}
		if !m.canceled.IsZero() && p.at.After(m.canceled) && !doubted {
			bad("taken %v after it was canceled", p.at.Sub(m.canceled))
		}
	}
	states := map[string]rohrpost.RecipientState{}
	for _, r := range st.Recipients {
		states[r.Address] = r.State
	}
	for _, r := range m.recipients {
		n, state := m.has(r), states[r]
		switch {
		case state == rohrpost.RecipientAccepted && n == 0:
			bad("%s is accepted, and no server has it", r)
		case state != rohrpost.RecipientAccepted && state != rohrpost.RecipientUncertain && n > 0 && !doubted:
			bad("%s is %s, and a server has it", r, state)
		}
		switch {
		case n > 1 && m.hold:
			bad("%s got a mail %d times that is not to be repeated", r, n)
		case n > 1 && !st.MaybeTwice && state != rohrpost.RecipientUncertain && !doubted:
			bad("%s got it %d times, and nobody is uncertain", r, n)
		}
	}
	return append(out, inconsistent(st)...)
}

// inconsistent compares the state of a job with those of its recipients.
func inconsistent(st rohrpost.Status) []string {
	count := map[rohrpost.RecipientState]int{}
	for _, r := range st.Recipients {
		count[r.State]++
	}
	all, accepted := len(st.Recipients), count[rohrpost.RecipientAccepted]
	ok := true
	switch st.State {
	case rohrpost.Accepted:
		ok = accepted == all
	case rohrpost.Partly:
		ok = accepted > 0 && accepted < all
	case rohrpost.Failed, rohrpost.Expired:
		ok = accepted == 0
	case rohrpost.Uncertain:
		ok = count[rohrpost.RecipientUncertain] > 0
	}
	if ok {
		return nil
	}
	return []string{fmt.Sprintf("the job is %s, its recipients are %v", st.State, count)}
}

// tell adds a mail to the sums.
func tell(sums map[string]int, m *mailing, st rohrpost.Status, doubted bool) {
	sums["mails"]++
	sums["mails "+string(st.State)]++
	sums["recipients"] += len(m.recipients)
	if m.receipt.ID == "" {
		sums["mails known, although Send had to give up"]++
	}
	sums["attempts"] += st.Attempts
	if st.Attempts > 50 {
		sums["mails with more than 50 attempts"]++
	}
	sums["most attempts of a mail"] = max(sums["most attempts of a mail"], st.Attempts)
	sums["copies"] += len(m.copies)
	if doubted {
		sums["mails of which an attempt was uncertain"]++
	}
	if st.MaybeTwice {
		sums["mails said to be perhaps there twice"]++
	}
	if m.hold {
		sums["mails that are not to be repeated"]++
	}
	if !m.canceled.IsZero() {
		sums["mails canceled on the way"]++
	}
	for _, p := range m.copies {
		if !p.seen {
			sums["copies whose 250 was perhaps not read"]++
		}
	}
	for _, r := range st.Recipients {
		sums["recipients "+string(r.State)]++
		n, said := m.has(r.Address), st.MaybeTwice || r.State == rohrpost.RecipientUncertain
		switch {
		case n > 1 && said:
			sums["recipients who got it twice, and the ledger says so"]++
		case n > 1:
			sums["recipients who got it twice, and the error log says so"]++
		case n == 1 && !said && r.State != rohrpost.RecipientAccepted:
			sums["recipients who got it, "+string(r.State)+", and the error log says that it is uncertain"]++
		}
	}
}

// story is what servers know of a mail.
func (m *mailing) story() string {
	var out []string
	for _, p := range m.copies {
		out = append(out, fmt.Sprintf("%s to %v, 250 read: %v", p.at.Format("15:04:05.000"), p.recipients, p.seen))
	}
	if !m.canceled.IsZero() {
		out = append(out, "canceled "+m.canceled.Format("15:04:05.000"))
	}
	return strings.Join(out, "; ")
}

// doubted are the jobs that the error log has ever called uncertain.
func (s *site) doubted() map[string]bool {
	log, err := errorlog.New(errorlog.Options{Redis: s.redis.Client(s.t)})
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]bool{}
	for e, err := range log.Query(s.t.Context(), errorlog.Filter{AllTenants: true, Category: "delivery_uncertain"}) {
		if err != nil {
			s.t.Fatal(err)
		}
		out[e.JobID] = true
	}
	return out
}

// checkQueue asks the program itself. What may be missing are mails that Send has not
// accepted in the end, since they expired before Redis was back: their record may
// stand, and the sender knows.
func (s *site) checkQueue() {
	cmd := exec.Command(s.workers[0].program, "queue", "check", "--json")
	cmd.Env = s.workers[0].env
	out, err := cmd.Output() // it fails when there are findings
	lines := slices.Collect(strings.Lines(string(out)))
	if len(lines) == 0 {
		s.t.Fatalf("rohrpost queue check: %v", err)
	}
	refused := map[string]bool{}
	for _, m := range s.books.list() {
		refused[m.id] = m.receipt.ID == ""
	}
	for _, line := range lines[:len(lines)-1] {
		var f reconcile.Finding
		switch err := json.Unmarshal([]byte(line), &f); {
		case err != nil:
			s.t.Errorf("rohrpost queue check: %v: %s", err, line)
		case (f.Kind == reconcile.Lost || f.Kind == reconcile.InDoubt) && refused[f.JobID]:
		case !f.Harmless:
			s.t.Errorf("rohrpost queue check: %s", line)
		}
	}
	s.t.Logf("rohrpost queue check: %s", out)
}

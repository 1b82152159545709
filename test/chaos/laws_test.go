package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// TestLaws breaks each law once: a judge who never says no proves nothing.
func TestLaws(t *testing.T) {
	t.Parallel()
	const a, b = "r0.m@example.org", "r1.m@example.org"
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	to := func(recipients ...string) *parcel {
		return &parcel{messageID: "<m@chaos.example>", recipients: recipients, at: noon}
	}
	accepted := func(st *rohrpost.Status) {
		st.State = rohrpost.Accepted
		st.Recipients[0].State, st.Recipients[1].State = rohrpost.RecipientAccepted, rohrpost.RecipientAccepted
	}
	for _, c := range []struct {
		name    string
		m       mailing
		ledger  func(*rohrpost.Status)
		err     error
		doubted bool
		want    string // "": no law is broken
	}{
		{name: "accepted", m: mailing{copies: []*parcel{to(a, b)}}, ledger: accepted},
		{name: "accepted one after the other", m: mailing{copies: []*parcel{to(a), to(b)}}, ledger: accepted},
		{name: "failed", ledger: func(st *rohrpost.Status) { st.State = rohrpost.Failed }},
		{name: "twice, uncertain", m: mailing{copies: []*parcel{to(a, b), to(a)}}, ledger: accepted, doubted: true},
		{name: "twice, said by the ledger", m: mailing{copies: []*parcel{to(a, b), to(a)}}, ledger: func(st *rohrpost.Status) { accepted(st); st.MaybeTwice = true }},
		{name: "taken, then canceled", m: mailing{tried: true, canceled: noon.Add(time.Second), copies: []*parcel{to(a)}}, ledger: func(st *rohrpost.Status) {
			accepted(st)
			st.State, st.Recipients[1].State = rohrpost.Partly, rohrpost.RecipientWaiting
		}},

		{name: "lost", err: producer.ErrNotFound, want: "lost: no such job"},
		{name: "waiting", ledger: func(st *rohrpost.Status) { st.State = rohrpost.Deferred }, want: "not at its end: deferred"},
		{name: "not delivered", m: mailing{copies: []*parcel{to(a)}}, ledger: accepted, want: b + " is accepted, and no server has it"},
		{name: "delivered and failed", m: mailing{copies: []*parcel{to(a)}}, ledger: func(st *rohrpost.Status) { st.State = rohrpost.Failed }, want: a + " is failed, and a server has it"},
		{name: "twice", m: mailing{copies: []*parcel{to(a, b), to(a)}}, ledger: accepted, want: a + " got it 2 times"},
		{name: "held, twice", m: mailing{hold: true, copies: []*parcel{to(a, b), to(a)}}, ledger: accepted, doubted: true, want: "not to be repeated"},
		{name: "after the acceptance", m: mailing{copies: []*parcel{to(a, b), to(a)}, afterAccepted: []string{a}}, ledger: accepted, doubted: true, want: "although the ledger had"},
		{name: "canceled, then taken", m: mailing{tried: true, canceled: noon.Add(-time.Second), copies: []*parcel{to(a, b)}}, ledger: accepted, want: "taken 1s after it was canceled"},
		{name: "canceled by nobody", ledger: func(st *rohrpost.Status) { st.State = rohrpost.Canceled }, want: "canceled by nobody"},
		{name: "another Message-ID", m: mailing{copies: []*parcel{{messageID: "<x@y>", recipients: []string{a, b}}}}, ledger: accepted, want: "Message-ID <x@y>"},
		{name: "torn", m: mailing{copies: []*parcel{to(a, b)}, broken: []string{"half a mail"}}, ledger: accepted, want: "half a mail"},
		{name: "state", m: mailing{copies: []*parcel{to(a, b)}}, ledger: func(st *rohrpost.Status) { accepted(st); st.State = rohrpost.Partly }, want: "the job is partly"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.m.id, c.m.recipients = "m", []string{a, b}
			c.m.receipt = rohrpost.Receipt{ID: "m", MessageID: "<m@chaos.example>"}
			st := rohrpost.Status{ID: "m", MessageID: c.m.receipt.MessageID}
			for _, r := range c.m.recipients {
				st.Recipients = append(st.Recipients, rohrpost.RecipientStatus{Address: r, State: rohrpost.RecipientFailed})
			}
			if c.ledger != nil {
				c.ledger(&st)
			}
			got := strings.Join(violations(&c.m, st, c.err, c.doubted), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

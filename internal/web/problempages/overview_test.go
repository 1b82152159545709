package problempages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/queue"
)

func evilOverview() *overview.Overview {
	waiting := parked("user/"+evil+"/"+evil, evil, 3)
	waiting.Category, waiting.Diagnostic = evil, evil
	return &overview.Overview{
		Waiting: []problems.Waiting{waiting, {Kind: problems.Down, Server: evil, Mails: 1}},
		Paused:  []overview.Pause{{Pause: queue.Pause{Queue: evil, Since: at()}, By: evil}},
	}
}

func running() queue.Workers { return queue.Workers{Processes: 2, Slots: 100, Busy: 7} }

func day(accepted, failed int64) []overview.Hour {
	hours := make([]overview.Hour, 24)
	for i := range hours {
		hours[i].Time = at().Add(time.Duration(i-23) * time.Hour)
	}
	hours[22].Accepted, hours[23].Failed = accepted, failed
	return hours
}

// One sentence answers whether all is well.
func TestVerdict(t *testing.T) {
	t.Parallel()
	waits := problems.Waiting{Kind: problems.Rate, Account: "tenant/acme", Tenant: "acme", Since: at(), Until: at().Add(time.Hour), Mails: 1}
	for _, tt := range []struct {
		name, english, german string
		overview              overview.Overview
	}{
		{"well", "All is well: 1,204 mails sent in 24 hours, none is waiting.", "Alles in Ordnung: 1.204 Mails in 24 Stunden gesendet, keine wartet.", overview.Overview{Hours: day(1204, 0)}},
		{"busy", "All is well: 1 mail sent in 24 hours, 17 on their way or scheduled.", "Alles in Ordnung: 1 Mail in 24 Stunden gesendet, 17 unterwegs oder geplant.", overview.Overview{Hours: day(1, 0), Queued: 17}},
		{"uncounted", "All is well: no mail is waiting.", "Alles in Ordnung: keine Mail wartet.", overview.Overview{}},
		{"uncounted, busy", "All is well: 1 mail on the way or scheduled.", "Alles in Ordnung: 1 Mail unterwegs oder geplant.", overview.Overview{Queued: 1}},
		{"parked", "Somebody must act: 1,268 mails are waiting.", "Hier muss jemand handeln: 1.268 Mails warten.", overview.Overview{Waiting: []problems.Waiting{parked("tenant/initech", "initech", 1268)}}},
		{"a limit", "1 mail is waiting; nobody has to do anything.", "1 Mail wartet; niemand muss etwas tun.", overview.Overview{Waiting: []problems.Waiting{waits}}},
		{"a pause", "Somebody must act.", "Hier muss jemand handeln.", overview.Overview{Paused: []overview.Pause{{Pause: queue.Pause{Queue: "bulk", Since: at()}}}}},
		{"silent", "Redis does not answer", "Redis antwortet nicht", overview.Overview{Silent: []overview.Part{overview.PartWaiting}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.overview.Workers = running()
			w := open(t, &said{overview: &tt.overview})
			has(t, w.get(t, operator(), "/").Body.String(), []string{tt.english}, nil)
			has(t, w.get(t, admin("acme"), "/t/acme/?lang=de").Body.String(), []string{tt.german}, []string{"Plätzen belegt"})
		})
	}
	w := open(t, &said{overview: &overview.Overview{}})
	has(t, w.get(t, operator(), "/").Body.String(), []string{"No worker is running"}, nil)
	has(t, w.get(t, admin("acme"), "/t/acme/").Body.String(), []string{"The system is not sending any mail at the moment"}, nil)
}

func TestOverviewLines(t *testing.T) {
	t.Parallel()
	o := &overview.Overview{
		Waiting: []problems.Waiting{
			parked("tenant/initech", "initech", 1268),
			{Kind: problems.Down, Server: "smtp.shared.example:587", Since: at().Add(-time.Hour), Accounts: 3, Mails: 40, Detail: refusedLogin()},
		},
		Workers: running(), Queued: 1308, Approvals: 2, Hours: day(1204, 3),
	}
	for range 12 {
		o.Waiting = append(o.Waiting, problems.Waiting{Kind: problems.Busy, Account: "tenant/busy", Tenant: "busy", Since: at(), Mails: 1})
	}
	s := &said{overview: o}
	w := open(t, s)
	body := w.get(t, operator(), "/?lang=de").Body.String()
	has(t, body, []string{
		"initech: ", "Anmeldung abgelehnt</b>, Mandant initech: angehalten seit 13:20", "1.268 Mails warten", `href="/mail/t/initech/accounts/tenant">Beheben`,
		"Server smtp.shared.example:587: Server nicht erreichbar seit 13:00, wird gerade versucht, 40 Mails warten (3 Konten)", "und 4 weitere",
		"2 laufen; 7 von 100 Plätzen belegt", `href="/mail/approvals">2</a>`, "1.204 angenommen, 3 endgültig fehlgeschlagen", "ab 14:00: 0 angenommen, 3 fehlgeschlagen",
	}, []string{" style=", "<script"})
	if n := strings.Count(body, "<rect"); n != 48 {
		t.Errorf("%d bars", n)
	}
	o.Silent = []overview.Part{overview.PartQueued}
	has(t, w.get(t, operator(), "/").Body.String(), []string{"Some of this is not known"}, []string{"On their way or scheduled"})
}

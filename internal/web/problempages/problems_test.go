package problempages_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/problems"
)

// some is a report with a problem that needs a person, one that is open, and one that is
// over.
func some() *problems.Report {
	waiting := parked("tenant/acme", "acme", 1268)
	next := at().Add(time.Hour)
	return &problems.Report{Problems: []problems.Problem{
		{
			Subject: problems.Subject{Account: "tenant/acme"}, Detail: refusedLogin(), Tenant: "acme", Tenants: 1, Attempts: 1300, Mails: 1290,
			First: at().Add(-time.Hour), Last: at(), Waiting: &waiting, Person: true, Remedy: problems.MendAccount,
			Became: problems.Became{Asked: 1000, Accepted: 22, Waiting: 978},
			Examples: []problems.Example{
				{Tenant: "acme", ID: "invoice-1", Time: at(), Recipients: []string{"k***@example.org"}, Outcome: problems.Outcome{State: rohrpost.Accepted, At: at()}},
				{Tenant: "acme", ID: "invoice-2", Time: at(), Outcome: problems.Outcome{State: rohrpost.Deferred, Next: next}},
				{Tenant: "acme", ID: "invoice-3", Time: at(), Outcome: problems.Outcome{State: rohrpost.Deferred}},
			},
		},
		{
			Detail: failure.Detail{Category: "recipient_unknown", Rule: 40, Stage: failure.StageRcpt}, Tenant: "acme", Tenants: 1, Attempts: 1, Mails: 1, First: at(), Last: at(),
			Remedy: problems.MendRecipients, Became: problems.Became{Asked: 1, Failed: 1},
		},
		{
			Subject: problems.Subject{Domain: "slow.example"}, Detail: failure.Detail{Category: "greylisted", Rule: 45, Stage: failure.StageRcpt}, Tenant: "acme", Tenants: 1,
			Attempts: 2, Mails: 1, First: at().Add(-time.Minute), Last: at(), Became: problems.Became{Asked: 1, Accepted: 1},
		},
	}}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	s := &said{report: some()}
	w := open(t, s)
	body := w.get(t, admin("acme"), "/t/acme/problems").Body.String()
	if s.whose != (problems.Whose{Tenant: "acme"}) {
		t.Errorf("asked of %+v", s.whose)
	}
	has(t, body, []string{
		"stopped since 14:20, until the settings are corrected, 1,268 mails are waiting", "1,300 failed attempts, 1,290 mails", "2026-03-02 15:00:00 CET",
		`href="/mail/t/acme/accounts/tenant">Fix`, "What became of the newest 1,000: 22 accepted, 978 waiting.", `href="/mail/t/acme/mails/invoice-1"`,
		"accepted at 2026-03-02 15:00:00 CET", "next attempt 2026-03-02 16:00:00 CET", "still waits, is sent when its account may", "recipients at slow.example",
		"Correct the address", `href="/mail/t/acme/problems/export?format=csv"`, "<h2>Over</h2>", `<article class="entry over"`,
	}, []string{"0001"})
	if n := strings.Count(body, "<h1>"); n != 1 {
		t.Errorf("%d h1", n)
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?s)<summary>(.*?)</summary>`).FindAllStringSubmatch(body, -1) {
		if names[m[1]] {
			t.Errorf("two are called %q", m[1])
		}
		names[m[1]] = true
	}
	german := w.get(t, admin("acme"), "/t/acme/problems?lang=de").Body.String()
	has(t, german, []string{
		"angehalten seit 14:20, bis die Einstellungen berichtigt sind, 1.268 Mails warten", "1.300 Fehlversuche, 1.290 Mails", "02.03.2026 15:00:00 CET",
		"Beheben", "Was aus den neuesten 1.000 wurde: 22 angenommen, 978 warten.", "Anmeldung abgelehnt: Mandant acme", "Technische Einzelheiten", "Erledigt",
	}, nil)
	reads := w.get(t, reader("acme"), "/t/acme/problems").Body.String()
	has(t, reads, []string{"stopped since"}, []string{"/accounts/tenant"})
}

func TestOperatorsGroups(t *testing.T) {
	t.Parallel()
	report := some()
	report.Problems[0].Account = "platform"
	report.More, report.Back, report.NoOutcomes, report.NoWaiting = 7, at().Add(-3*time.Hour), true, true
	s := &said{report: report}
	w := open(t, s)
	body := w.get(t, operator(), "/problems").Body.String()
	if !s.whose.All {
		t.Errorf("asked of %+v", s.whose)
	}
	has(t, body, []string{
		`href="/mail/system/account">Fix`, `href="/mail/t/acme/problems">acme</a>`, "7 more problems", "read back to 2026-03-02 11:00:00 UTC",
		"How many mails are waiting is not known", "What became of the mails is not known",
	}, nil)
	s.report = &problems.Report{}
	has(t, w.get(t, operator(), "/problems").Body.String(), []string{"Nothing has failed, and nothing is waiting."}, nil)
}

// What servers, tenants, users and recipients say is text.
func TestNothingIsRun(t *testing.T) {
	t.Parallel()
	detail := refusedLogin()
	detail.Diagnostic, detail.Category, detail.Enhanced = evil, evil, evil
	report := &problems.Report{}
	for _, subject := range []problems.Subject{{Account: "user/" + evil + "/" + evil}, {Server: evil}, {Domain: evil}} {
		report.Problems = append(report.Problems, problems.Problem{
			Subject: subject, Detail: detail, Tenant: evil, Tenants: 1, Attempts: 1, Mails: 1,
			Examples: []problems.Example{{Tenant: evil, ID: evil, Recipients: []string{evil}, Diagnostic: evil}},
		})
	}
	e := errorlog.Entry{
		Tenant: evil, User: evil, JobID: evil, MessageID: evil, Account: evil, Level: evil, Host: evil, Stage: evil, Enhanced: evil, Code: 550,
		Diagnostic: evil, Category: evil, Class: evil, Recipients: []string{evil}, Metadata: map[string]string{evil: evil}, Time: at(), Rule: 30,
	}
	w := open(t, &said{report: report, entries: []errorlog.Entry{e}, overview: evilOverview()})
	for _, path := range []string{
		"/problems", "/problems?view=log", "/problems?view=log&job=%22%3E%3Cscript%3E&category=%22%3E%3Cscript%3E&recipient=%22%3E%3Cscript%3E", "/", "/t/%22%3E%3Cscript%3E/problems", "/t/%22%3E%3Cscript%3E/",
	} {
		got := w.get(t, operator(), path)
		if got.Code != http.StatusOK || strings.Contains(got.Body.String(), "<script") || strings.Contains(got.Body.String(), `="'>`) {
			t.Errorf("%s: %d\n%s", path, got.Code, got.Body)
		}
	}
}

// The log says what became of each mail, and nothing of a time that has passed.
func TestLog(t *testing.T) {
	t.Parallel()
	past := at().Add(-time.Minute)
	entry := func(id string) errorlog.Entry {
		return errorlog.Entry{Time: past, Tenant: "acme", JobID: id, Category: "greylisted", Rule: 45, NextAttempt: past}
	}
	s := &said{entries: []errorlog.Entry{entry("sent"), entry("waits"), entry("held"), entry("gone")}, outcomes: map[string]problems.Outcome{
		"sent": {State: rohrpost.Accepted, At: at()}, "waits": {State: rohrpost.Queued}, "held": {State: rohrpost.Uncertain},
	}}
	s.entries = append(s.entries, errorlog.Entry{Time: past, Tenant: "acme", JobID: "final", Final: true})
	w := open(t, s)
	body := w.get(t, admin("acme"), "/t/acme/problems?view=log").Body.String()
	has(t, body, []string{
		"accepted at 2026-03-02 15:00:00 CET", "still waits", "held: nobody knows", "what became of it is not known", "failed for good", "Nothing is matched in part",
		`href="/mail/t/acme/mails/sent"`, `<article class="entry over"`, `aria-current="page">Log</a>`,
	}, []string{"next attempt", `name="tenant"`})
	if f := s.filters[0]; f.Tenant != "acme" || f.AllTenants {
		t.Errorf("%+v", f)
	}
	has(t, w.get(t, operator(), "/problems?view=log").Body.String(), []string{`<option value="@platform">`, `<option value="acme">`}, nil)
}

// A page that the log does not have says so, and leads back.
func TestBeyondTheEnd(t *testing.T) {
	t.Parallel()
	s := &said{}
	for i := range 60 {
		s.entries = append(s.entries, errorlog.Entry{Time: at(), Tenant: "acme", JobID: strconv.Itoa(i)})
	}
	w := open(t, s)
	body := w.get(t, admin("acme"), "/t/acme/problems?view=log&page=99&category=expired").Body.String()
	has(t, body, []string{"There is no page 99", `href="/mail/t/acme/problems?category=expired&amp;view=log">To the first page`}, []string{"Nothing has failed", "No error fits"})
	has(t, w.get(t, admin("acme"), "/t/acme/problems?view=log&page=2").Body.String(), []string{`href="/mail/t/acme/mails/59"`, "Newer"}, []string{"There is no page", "Older"})
}

// Addresses of before lead to those of today, with what they ask for.
func TestOldAddresses(t *testing.T) {
	t.Parallel()
	w := open(t, &said{})
	for _, tt := range []struct{ who, path, want string }{
		{"olga", "/errors", "/mail/problems?view=log"},
		{"olga", "/errors?tenant=acme&category=expired&page=2", "/mail/t/acme/problems?category=expired&page=2&view=log"},
		{"olga", "/errors?tenant=@platform", "/mail/t/@platform/problems?view=log"},
		{"olga", "/errors?tenant=@@platform", "/mail/t/@@platform/problems?view=log"},
		{"olga", "/errors?tenant=a%2Fb", "/mail/t/a%2Fb/problems?view=log"},
		{"olga", "/errors/export?tenant=acme&format=csv", "/mail/t/acme/problems/export?format=csv"},
		{"adam", "/errors", "/mail/t/acme/problems?view=log"},
		{"adam", "/errors/export?format=text&order=oldest", "/mail/t/acme/problems/export?format=text&order=oldest"},
		{"adam", "/errors?tenant=beta", "/mail/t/beta/problems?view=log"},
		{"adam", "/problems?view=log", "/mail/t/acme/problems?view=log"},
		{"olga", "/problems?tenant=acme&view=log", "/mail/t/acme/problems?view=log"},
		{"olga", "/problems?tenant=&view=log", "/mail/problems?view=log"},
		{"adam", "/", "/mail/t/acme/"},
	} {
		p := operator()
		if tt.who == "adam" {
			p = admin("acme")
		}
		got := w.get(t, p, tt.path)
		if got.Code != http.StatusMovedPermanently && got.Code != http.StatusSeeOther || got.Header().Get("Location") != tt.want {
			t.Errorf("%s %s: %d %s", tt.who, tt.path, got.Code, got.Header().Get("Location"))
		}
	}
	user := admin("acme")
	user.Role, user.User = "user", "max/1"
	if got := w.get(t, user, "/").Header().Get("Location"); got != "/mail/t/acme/accounts/user/max%2F1" {
		t.Errorf("a user: %s", got)
	}
}

// Another tenant's pages are nobody's.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	w := open(t, &said{report: some(), overview: evilOverview()})
	for _, path := range []string{"/t/beta/", "/t/beta/problems", "/t/beta/problems?view=log", "/t/beta/problems/export", "/t/@platform/problems"} {
		if got := w.get(t, admin("acme"), path); got.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

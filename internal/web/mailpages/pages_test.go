package mailpages_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/producer"
)

func TestList(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{KeepSubject: true})
	s.want(s.page("rita", "/t/acme/mails"), "No mail yet")
	for i := range 60 {
		s.send(func(m *rohrpost.Message) { m.ID = fmt.Sprintf("mail-%02d", i) })
	}
	s.send(func(m *rohrpost.Message) { m.Tenant, m.ID = "initech", "foreign" })
	s.fail("mail-07", "no such user")
	first := s.page("anna", "/t/acme/mails")
	s.want(first, "60 mails", "mail-59", "Rechnung", "kunde@example.org", "/t/acme/mails/all/cancel")
	if strings.Contains(first, "mail-09") || strings.Contains(first, "foreign") {
		t.Error("a mail of the second page, or of another tenant")
	}
	next := regexp.MustCompile(`href="([^"]*after=[^"]*)"`).FindStringSubmatch(first)
	if next == nil {
		t.Fatalf("no second page in\n%s", first)
	}
	s.want(s.page("anna", strings.ReplaceAll(next[1], "&amp;", "&")), "mail-09", "mail-00", "Newest")
	failed := s.page("rita", "/t/acme/mails?state=failed&recipient=%40example.org&lang=de")
	s.want(failed, "Eine Mail", "mail-07", "value=\"@example.org\"", "Eingestellt ab")
	if strings.Contains(failed, "mail-08") || strings.Contains(failed, "/mails/all/") {
		t.Error("another mail, or a reader's buttons")
	}
	s.want(s.page("rita", "/t/acme/mails?user=nobody"), "No mail fits this choice")
	s.want(s.page("olga", "/t/initech/mails"), "foreign")
	for path, text := range map[string]string{
		"/t/acme/mails?recipient=example.org": "neither a whole address nor a domain",
		"/t/acme/mails?from=yesterday":        "is no time",
		"/t/acme/mails?state=lost":            "is no state of a mail",
	} {
		status, body, _ := s.ask("rita", path, nil)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, text) {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
	}
	if status, _, to := s.ask("rita", "/t/acme/mails?state=failed&after=nonsense", nil); status != http.StatusSeeOther || to != "/t/acme/mails?state=failed" {
		t.Errorf("a broken cursor: %d, %s", status, to)
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	id := s.send()
	s.want(s.page("rita", "/t/acme/mails/"+id), "waits for a free worker", "kunde@example.org", "data-live", "/assets/mail.js")
	s.fail(id, "no such user")
	body := s.page("anna", "/t/acme/mails/"+id)
	s.want(body, "No recipient has received it", "550 5.1.1 no such user", "Attempt 1", "Send to a corrected address", "tenant")
	if strings.Contains(body, "data-live") {
		t.Error("a mail that has ended is followed")
	}
	s.want(s.page("anna", "/t/acme/mails/"+id+"?lang=de"), "Kein Empfänger hat sie bekommen", "Verlauf", "An eine berichtigte Adresse senden")
	reader := s.page("rita", "/t/acme/mails/"+id)
	if strings.Contains(reader, "<form") {
		t.Error("a reader has buttons")
	}
	for _, path := range []string{"/t/acme/mails/nothing", "/t/initech/mails/" + id} {
		if status, body, _ := s.ask("olga", path, nil); status != http.StatusNotFound || !strings.Contains(body, "No such mail") {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// TestScript: what a mail or a server says stands on the pages as text.
func TestScript(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{KeepSubject: true})
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	id := s.send(func(m *rohrpost.Message) {
		m.Subject, m.User.ID = attack, attack
		m.To[0].Address = "`onmouseover=alert`@example.org"
		m.Metadata = map[string]string{attack: attack}
	})
	s.fail(id, attack)
	for _, path := range []string{
		"/t/acme/mails", "/t/acme/mails/" + id, "/t/acme/mails?user=" + url.QueryEscape(attack), "/t/acme/mails?done=bulk&n=" + url.QueryEscape(attack),
		"/t/acme/mails/all/cancel?user=" + url.QueryEscape(attack),
	} {
		if body := s.page("anna", path); strings.Contains(body, "<script>alert") || strings.Contains(body, "<img") {
			t.Errorf("%s:\n%s", path, body)
		}
	}
}

func TestActs(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	id := s.send()
	path := "/t/acme/mails/" + id
	at := time.Now().UTC().Add(3 * time.Hour).Format("2006-01-02T15:04")
	state := func() rohrpost.State {
		t.Helper()
		status, err := s.mail.ForTenant("acme").Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return status.State
	}
	for _, step := range []struct {
		form url.Values
		want rohrpost.State
	}{
		{url.Values{"do": {"putoff"}, "at": {at}}, rohrpost.Scheduled},
		{url.Values{"do": {"retry"}}, rohrpost.Queued},
		{url.Values{"do": {"cancel"}}, rohrpost.Canceled},
	} {
		for who, refused := range map[string]string{"rita": path, "anna": "/t/initech/mails/" + id, "": path} {
			before := state()
			if status, _, _ := s.ask(who, refused, step.form); status != http.StatusForbidden || state() != before {
				t.Errorf("%s at %s: %d", who, refused, status)
			}
		}
		status, body, to := s.ask("anna", path, step.form)
		if status != http.StatusSeeOther || to != path+"?done="+step.form.Get("do") || state() != step.want {
			t.Errorf("%v: %d, %s, %s\n%s", step.form, status, to, state(), body)
		}
		s.page("anna", to)
	}
	if status, body, _ := s.ask("anna", path, url.Values{"do": {"cancel"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "has ended") {
		t.Errorf("a second time: %d\n%s", status, body)
	}
	if status, _, _ := s.ask("anna", "/t/acme/mails/nothing", url.Values{"do": {"cancel"}}); status != http.StatusNotFound {
		t.Errorf("no mail: %d", status)
	}
	lines, err := s.audit.Latest(t.Context(), 10)
	if err != nil || len(lines) != 5 || lines[0].Who != "anna" || lines[0].Source != audit.Pages || lines[0].Tenant != "acme" {
		t.Errorf("%+v, %v", lines, err)
	}
}

func TestPutOffIntoThePast(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	id := s.send()
	for _, at := range []string{"2020-01-01T10:00", "soon", ""} {
		status, body, _ := s.ask("anna", "/t/acme/mails/"+id, url.Values{"do": {"putoff"}, "at": {at}})
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `aria-invalid="true"`) || !strings.Contains(body, `value="`+at+`"`) {
			t.Errorf("%q: %d\n%s", at, status, body)
		}
	}
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	id := s.send(func(m *rohrpost.Message) { m.ID = "invoice-1" })
	s.fail(id, "no such user")
	form := url.Values{"do": {"correct"}, "failed": {"kunde@example.org"}, "corrected": {"no address"}}
	if status, body, _ := s.ask("anna", "/t/acme/mails/"+id, form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "no address") {
		t.Errorf("%d\n%s", status, body)
	}
	form.Set("corrected", "kundin@example.org")
	status, body, to := s.ask("anna", "/t/acme/mails/"+id, form)
	if status != http.StatusSeeOther || !strings.HasSuffix(to, "?done=corrected") {
		t.Fatalf("%d, %s\n%s", status, to, body)
	}
	s.want(s.page("anna", to), "kundin@example.org", "The copy is on its way", "/t/acme/mails/"+id)
}

func TestCorrectSealed(t *testing.T) {
	t.Parallel()
	_, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, producer.Options{KeepSubject: true, Recipients: []string{recipient}})
	id := s.send()
	s.want(s.page("anna", "/t/acme/mails"), "sealed")
	s.fail(id, "no such user")
	page := s.page("anna", "/t/acme/mails/"+id+"?lang=de")
	s.want(page, "Diese Mail ist versiegelt", "von dort neu senden", "Jetzt erneut senden")
	if strings.Contains(page, `value="correct"`) {
		t.Error("there is a button that fails")
	}
	form := url.Values{"do": {"correct"}, "failed": {"kunde@example.org"}, "corrected": {"kundin@example.org"}}
	if status, body, _ := s.ask("anna", "/t/acme/mails/"+id, form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "let the application send it again") {
		t.Errorf("%d\n%s", status, body)
	}
}

// TestCorrectGone: what nobody can send again has no button for it.
func TestCorrectGone(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	id := s.send()
	s.fail(id, "no such user")
	s.want(s.page("anna", "/t/acme/mails/"+id), `value="correct"`, `value="retry"`)
	for _, key := range s.rdb.Keys(t.Context(), "asynq:*").Val() {
		s.rdb.Del(t.Context(), key)
	}
	page := s.page("anna", "/t/acme/mails/"+id)
	s.want(page, "What this mail says is not kept any more")
	for _, button := range []string{`value="correct"`, `value="retry"`} {
		if strings.Contains(page, button) {
			t.Errorf("there is a button that fails: %s", button)
		}
	}
}

func TestBulk(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	for i := range 6 {
		id := s.send()
		if i%2 == 0 {
			s.fail(id, "no such user")
		}
	}
	question := s.page("anna", "/t/acme/mails/all/retry?state=failed")
	s.want(question, "Send 3 mails again", `name="state" value="failed"`, "Yes, send again")
	one := "/t/acme/mails?done=bulk&n=1&refused=0"
	s.want(s.page("anna", one), "Done for one mail.")
	only := s.send(func(m *rohrpost.Message) { m.To[0].Address = "only@example.net" })
	for action, text := range map[string]string{"retry": "Send one mail again", "cancel": "Cancel one mail?", "putoff": "Put one mail off?"} {
		s.want(s.page("anna", "/t/acme/mails/all/"+action+"?id="+only), text)
	}
	if err := s.mail.Cancel(t.Context(), only); err != nil {
		t.Fatal(err)
	}
	s.want(s.page("anna", "/t/acme/mails/all/putoff?recipient=%40example.org&lang=de"), "6 Mails verschieben?", `name="at"`)
	s.want(s.page("anna", "/t/acme/mails/all/cancel?state=expired"), "No mail fits")
	form := url.Values{"state": {"failed"}}
	for who, path := range map[string]string{"rita": "/t/acme/mails/all/retry", "anna": "/t/initech/mails/all/retry"} {
		for _, f := range []url.Values{form, nil} {
			if status, _, _ := s.ask(who, path, f); status != http.StatusForbidden {
				t.Errorf("%s at %s: %d", who, path, status)
			}
		}
	}
	status, body, to := s.ask("anna", "/t/acme/mails/all/retry", form)
	if status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", status, body)
	}
	s.want(s.page("anna", to), "Done for 3 mails.")
	if status, body, _ := s.ask("anna", "/t/acme/mails/all/putoff", url.Values{"at": {"2020-01-01T10:00"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "in the past") {
		t.Errorf("%d\n%s", status, body)
	}
	if status, _, _ := s.ask("anna", "/t/acme/mails/all/delete", form); status == http.StatusOK || status == http.StatusSeeOther {
		t.Errorf("no such action: %d", status)
	}
	lines, err := s.audit.Latest(t.Context(), 10)
	if err != nil || len(lines) != 1 || lines[0].Of != 3 || lines[0].Count != 3 || lines[0].Remote != "192.0.2.1" {
		t.Errorf("%+v, %v", lines, err)
	}
}

// TestReply: the enhanced status code stands once in a reply, whether the server has said
// it in its text or not.
func TestReply(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	for _, diagnostic := range []string{"5.1.1 no such user", "no such user"} {
		id := s.send()
		s.fail(id, diagnostic)
		page := s.page("rita", "/t/acme/mails/"+id)
		s.want(page, "<td>550 5.1.1 no such user</td>")
		if strings.Contains(page, "5.1.1 5.1.1") {
			t.Errorf("%q: the code stands twice in\n%s", diagnostic, page)
		}
	}
}

// TestAway: a Redis that does not answer has a page of its own.
func TestAway(t *testing.T) {
	t.Parallel()
	s := open(t, producer.Options{})
	id := s.send()
	s.redis.Kill()
	for _, path := range []string{"/t/acme/mails", "/t/acme/mails/" + id, "/t/acme/mails/all/cancel"} {
		if status, body, _ := s.ask("anna", path, nil); status != http.StatusServiceUnavailable || !strings.Contains(body, "Redis does not answer") {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
	}
}

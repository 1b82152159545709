package accounts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestTestMail: O4, F4. The result has all that the mail had.
func TestTestMail(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(acme, &resolver.Entry{AdminAddress: "it@acme.example", Account: o.settings("info@acme.example")})
	got, err := o.try(anna(), acme)
	if err != nil {
		t.Fatal(err)
	}
	want := accounts.Result{
		Accepted: true, Account: "tenant/acme", Host: "127.0.0.1", From: "info@acme.example", To: "anna@acme.example", ReplyTo: "it@acme.example",
		ReversePath: "info@acme.example", TookMS: 1, Code: 250, Enhanced: "2.0.0", Checked: true,
	}
	got.Host, _, _ = strings.Cut(got.Host, ":")
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(accounts.Result{}, "MessageID", "Steps")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var steps []string
	for _, s := range got.Steps {
		steps = append(steps, string(s.Name)+" "+string(s.Verdict))
	}
	if diff := cmp.Diff([]string{"connect passed", "banner passed", "login passed", "sender passed", "recipient passed", "sent passed"}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"anna@acme.example"}, o.server.Mails()[0].Recipients); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	body := string(o.server.Mails()[0].Body)
	for _, line := range []string{"Message-ID: " + got.MessageID, "Reply-To: <it@acme.example>", "Date: Fri, 01 May 2026 10:00:00", "Subject: Test mail from rohrpost"} {
		if !strings.Contains(body, line) {
			t.Errorf("%q is not in\n%s", line, body)
		}
	}
	if !strings.HasSuffix(got.MessageID, "@acme.example>") {
		t.Errorf("Message-ID %s", got.MessageID)
	}
	if r, err := o.options.Store.Get(t.Context(), acme); err != nil || !r.Checked {
		t.Errorf("checked %v, %v", r.Checked, err)
	}
}

// TestReplyIsForOperators: an administrator gets codes and hints, not the words
// of a foreign server: S3.
func TestReplyIsForOperators(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(acme, &resolver.Entry{Account: o.settings("info@acme.example")})
	const words = "go away, says the foreign server"
	for stage, category := range map[smtptest.Stage]string{smtptest.AUTH: "auth_failed", smtptest.MAIL: "sender_rejected", smtptest.Dot: "content_rejected"} {
		o.server.On(stage, smtptest.Reply(map[smtptest.Stage]int{smtptest.AUTH: 535, smtptest.MAIL: 553, smtptest.Dot: 554}[stage],
			map[smtptest.Stage]string{smtptest.AUTH: "5.7.8 ", smtptest.MAIL: "5.1.8 ", smtptest.Dot: "5.7.1 "}[stage]+words))
		for name, who := range map[string]redisstore.Actor{"operator": olga(), "admin": anna()} {
			r, err := o.try(who, acme)
			text, jsonErr := json.Marshal(r)
			if err := errors.Join(err, jsonErr); err != nil {
				t.Fatal(err)
			}
			if r.Accepted || r.Code < 500 || r.Hint == "" || r.Category == "" || strings.Contains(string(text), hunter2) {
				t.Errorf("%s, %s: %s", stage, name, text)
			}
			if seen := strings.Contains(string(text), "go away"); seen != (who.Role == redisstore.Operator) {
				t.Errorf("%s (%s): the words were shown to the %s: %v: %s", stage, category, name, seen, text)
			}
			report, err := o.Examine(t.Context(), accounts.Try{Who: who, Place: acme})
			text, jsonErr = json.Marshal(report)
			if err := errors.Join(err, jsonErr); err != nil {
				t.Fatal(err)
			}
			if stage != smtptest.Dot && strings.Contains(string(text), "go away") != (who.Role == redisstore.Operator) {
				t.Errorf("%s, %s: the doctor says %s", stage, name, text)
			}
			if strings.Contains(string(text), `"addresses"`) != (who.Role == redisstore.Operator) {
				t.Errorf("%s: the doctor shows addresses: %s", name, text)
			}
		}
		o.server.On(stage, smtptest.Answer{})
	}
}

// TestForbidden: F1, and nobody else's accounts.
func TestForbidden(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	for _, p := range []resolver.Place{{}, acme, maxM} {
		o.put(p, &resolver.Entry{Account: o.settings("info@acme.example")})
	}
	for _, test := range []struct {
		who   redisstore.Actor
		place resolver.Place
		may   bool
	}{
		{anna(), acme, true},
		{anna(), maxM, true},
		{anna(), resolver.Place{}, false},
		{bob(), acme, false},
		{bob(), maxM, false},
		{redisstore.Actor{Name: "nobody"}, acme, false},
		{redisstore.Actor{Name: "nobody", Role: redisstore.Admin}, resolver.Place{}, false},
		{olga(), resolver.Place{}, true},
		{olga(), maxM, true},
	} {
		before := o.server.Sessions()
		_, err := o.try(test.who, test.place)
		unsaved := accounts.Try{
			Who: test.who, Place: test.place, To: rohrpost.Address{Address: "anna@acme.example"}, Person: "anna@acme.example",
			Unsaved: &resolver.Entry{Account: o.settings("info@acme.example")},
		}
		_, unsavedErr := o.TestMail(t.Context(), unsaved)
		_, doctorErr := o.Examine(t.Context(), unsaved)
		for _, err := range []error{err, unsavedErr, doctorErr} {
			if test.may && err != nil || !test.may && !errors.Is(err, redisstore.ErrForbidden) {
				t.Errorf("%s at %s: %v", test.who.Name, test.place, err)
			}
		}
		if !test.may && o.server.Sessions() != before {
			t.Errorf("%s at %s has made connections", test.who.Name, test.place)
		}
	}
}

// TestParks: a refused login parks stored settings, and not unsaved ones; what is
// no login parks nothing.
func TestParks(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"book", "file"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			o := open(t, map[string]string{"book": "", "file": "tenants: {acme: {account: {address: info@acme.example, " +
				"smtp: {host: 127.0.0.1, port: PORT, encryption: none, allow_plaintext_login: true, password: " + hunter2 + "}}}}"}[where])
			entry := &resolver.Entry{Account: o.settings("info@acme.example")}
			if where == "book" {
				o.put(acme, entry)
			}
			unsaved := accounts.Try{Who: olga(), Place: acme, To: rohrpost.Address{Address: "anna@acme.example"}, Unsaved: entry}
			o.server.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 no"))
			if r, err := o.TestMail(t.Context(), unsaved); err != nil || r.Accepted || len(o.options.Breaker.States()) != 0 {
				t.Errorf("unsaved: %+v, %v, parked %v", r, err, o.options.Breaker.States())
			}
			if r, err := o.try(olga(), acme); err != nil || r.Accepted || len(o.options.Breaker.States()) != 1 || o.options.Breaker.States()[0].Stage != failure.StageAuth {
				t.Errorf("stored: %+v, %v, parked %v", r, err, o.options.Breaker.States())
			}
			o.server.On(smtptest.AUTH, smtptest.Answer{})
			if r, err := o.TestMail(t.Context(), unsaved); err != nil || !r.Accepted || r.Checked || len(o.options.Breaker.States()) != 1 {
				t.Errorf("unsaved settings have released the stored ones: %+v, %v, parked %v", r, err, o.options.Breaker.States())
			}
			if r, err := o.try(olga(), acme); err != nil || !r.Accepted || r.Checked != (where == "book") || len(o.options.Breaker.States()) != 0 {
				t.Errorf("released: %+v, %v, parked %v", r, err, o.options.Breaker.States())
			}
			o.server.On(smtptest.RCPT, smtptest.Reply(550, "5.1.1 no such user"))
			if r, err := o.try(olga(), acme); err != nil || r.Accepted || len(o.options.Breaker.States()) != 0 {
				t.Errorf("an unknown recipient parks: %+v, %v, parked %v", r, err, o.options.Breaker.States())
			}
		})
	}
}

// TestChangedMeanwhile: settings that were not tried do not count as checked.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(acme, &resolver.Entry{Account: o.settings("info@acme.example")})
	o.server.Once(smtptest.Dot, smtptest.Answer{}.Doing(func() {
		o.put(acme, &resolver.Entry{Account: o.settings("other@acme.example")})
	}))
	r, err := o.try(anna(), acme)
	if !r.Accepted || r.Checked || !errors.Is(err, redisstore.ErrConflict) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := o.options.Store.Get(t.Context(), acme); err != nil || r.Checked {
		t.Errorf("checked: %v, %v", r.Checked, err)
	}
}

// TestRefusals are errors, and nothing is tried.
func TestRefusals(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	good := &resolver.Entry{Account: o.settings("info@acme.example")}
	address := rohrpost.Address{Address: "anna@acme.example"}
	half := &resolver.Settings{UsePlatformDefault: true}
	for name, test := range map[string]struct {
		try  accounts.Try
		want string
	}{
		"nobody to send to":  {accounts.Try{Place: acme, Unsaved: good}, "to"},
		"no address":         {accounts.Try{Place: acme, Unsaved: good, To: rohrpost.Address{Address: "anna"}}, "to"},
		"line break":         {accounts.Try{Place: acme, Unsaved: good, To: rohrpost.Address{Address: "a@b.example\r\nRCPT TO:<c@s.example>"}}, "to"},
		"nothing stored":     {accounts.Try{Place: acme, To: address}, "there is no such account"},
		"unsaved nothing":    {accounts.Try{Place: acme, Unsaved: &resolver.Entry{}, To: address}, "there is no such account"},
		"a user's admin":     {accounts.Try{Place: maxM, Unsaved: &resolver.Entry{AdminAddress: "a@b.example", Account: good.Account}, To: address}, "admin_address"},
		"half settings":      {accounts.Try{Place: acme, Unsaved: &resolver.Entry{Account: half}, To: address}, "smtp.host"},
		"incomplete":         {accounts.Try{Place: acme, Unsaved: &resolver.Entry{Account: &resolver.Settings{Address: "a@b.example"}}, To: address}, "smtp.host"},
		"a password too far": {accounts.Try{Place: acme, Unsaved: &resolver.Entry{Account: &resolver.Settings{Address: "a@b.example", SMTP: &resolver.SMTPSettings{Host: "h.example", PasswordFile: "/etc/passwd"}}}, To: address}, "can name files"},
	} {
		test.try.Who = olga()
		if r, err := o.TestMail(t.Context(), test.try); err == nil || !strings.Contains(err.Error(), test.want) || r.Accepted {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if o.server.Sessions() != 0 {
		t.Errorf("%d connections", o.server.Sessions())
	}
	if err := o.rdb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.try(olga(), acme); !errors.Is(err, doctor.ErrUncounted) {
		t.Errorf("without Redis: %v", err)
	}
}

// TestTooOften counts for each tenant.
func TestTooOften(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	options := o.options
	options.Limiter = must(t, doctor.NewLimiter, doctor.LimiterOptions{Redis: o.rdb, Limit: 2})
	o.renew(options)
	for _, p := range []resolver.Place{{}, acme, maxM, {Tenant: "globex"}} {
		o.put(p, &resolver.Entry{Account: o.settings("info@acme.example")})
	}
	for _, test := range []struct {
		place resolver.Place
		free  bool
	}{{acme, true}, {maxM, true}, {acme, false}, {maxM, false}, {resolver.Place{Tenant: "globex"}, true}, {resolver.Place{}, true}} {
		_, err := o.try(olga(), test.place)
		tooOften, refused := errors.AsType[*doctor.TooOften](err)
		if refused == test.free || !refused && err != nil || refused && tooOften.RetryAfter <= 0 {
			t.Errorf("%s: %v", test.place, err)
		}
	}
}

// TestDoctorCounts: a good report of stored settings counts as their check, and a
// refused login parks them; of unsaved ones it means nothing.
func TestDoctorCounts(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(acme, &resolver.Entry{Account: o.settings("info@acme.example")})
	examine := func(unsaved *resolver.Entry) doctor.Verdict {
		t.Helper()
		r, err := o.Examine(t.Context(), accounts.Try{Who: anna(), Place: acme, Unsaved: unsaved})
		if err != nil {
			t.Fatal(err)
		}
		return r.Verdict
	}
	state := func() string {
		t.Helper()
		r, err := o.options.Store.Get(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("checked %v, parked %d", r.Checked, len(o.options.Breaker.States()))
	}
	refuse, accept := smtptest.Reply(535, "5.7.8 no"), smtptest.Answer{}
	for _, step := range []struct {
		answer  smtptest.Answer
		unsaved *resolver.Entry
		verdict doctor.Verdict
		want    string
	}{
		{accept, &resolver.Entry{Account: o.settings("new@acme.example")}, doctor.Warning, "checked false, parked 0"},
		{refuse, &resolver.Entry{Account: o.settings("new@acme.example")}, doctor.Failed, "checked false, parked 0"},
		{refuse, nil, doctor.Failed, "checked false, parked 1"},
		{accept, &resolver.Entry{Account: o.settings("info@acme.example")}, doctor.Warning, "checked false, parked 1"},
		{accept, nil, doctor.Warning, "checked true, parked 0"},
	} {
		o.server.On(smtptest.AUTH, step.answer)
		if got := examine(step.unsaved); got != step.verdict || state() != step.want {
			t.Errorf("verdict %s, %s, not %s", got, state(), step.want)
		}
	}
}

// TestAllBusy: a test mail and an examination for which no connection is free say so to
// everybody, and change nothing.
func TestAllBusy(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	settings := o.settings("info@acme.example")
	settings.SMTP.MaxConnections = 1
	o.put(acme, &resolver.Entry{AdminAddress: "it@acme.example", Account: settings})
	worker := must(t, lease.New, lease.Options{Redis: o.rdb})
	if _, err := worker.Take(t.Context(), "tenant/acme", "fp", 1); err != nil {
		t.Fatal(err)
	}
	r, err := o.try(anna(), acme)
	if err != nil || r.Accepted || r.Checked || r.Category != "rate_limited" || r.Reply != "the account's only connection is busy with mails" || !strings.HasPrefix(r.Hint, "All connections") {
		t.Errorf("%+v, %v", r, err)
	}
	report, err := o.Examine(t.Context(), accounts.Try{Who: anna(), Place: acme})
	if err != nil || report.Verdict != doctor.Skipped || !strings.Contains(report.Text(), "All connections of the account (1) are busy with mails") {
		t.Errorf("%s, %v", report.Text(), err)
	}
	if record, err := o.Record(t.Context(), acme); err != nil || record.Checked || o.server.Sessions() != 0 || o.list("acme")[0] != "tenant/acme active" {
		t.Errorf("%+v, %v, %d connections", record, err, o.server.Sessions())
	}
}

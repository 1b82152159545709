package resolver_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// A proof is a case of a row that takes more than one question.
type proof struct {
	row, name string
	prove     func(*testing.T)
}

func proofs() []proof {
	return []proof{
		{"I3", "a refused alias is the reason", blamesTheAlias},
		{"T3", "unsaved settings", triesUnsaved},
		{"F4", "a user's account, whoever else would send", triesAUser},
		{"O4", "the person who is signed in", triesForWhoAsks},
		{"O2", "what was entered is kept", keepsWhatWasEntered},
		{"S3", "the tenant's to see", unready},
		{"S5", "the tenant's look, through whichever account", wearsTheLook},
		{"F1", "users belong to their tenant", keepsTenantsApart},
		{"F5", "what to click at Microsoft 365", hintsAt("microsoft365", "Authenticated SMTP", "Authentifiziertes SMTP")},
		{"F6", "an app password at Google, and how one gets it", hintsAt("google", "Security, 2-Step Verification, App passwords", "Sicherheit, Bestätigung in zwei Schritten, App-Passwörter")},
	}
}

func blamesTheAlias(t *testing.T) {
	t.Parallel()
	f := load(t, rowsFile("{address: info@acme.example, central_sender: service@acme.example, smtp: {host: h.example}}", own))
	c := candidates(t, f, "acme", "max")
	s := mustResolve(t, c, program())
	if !s.Central() {
		t.Error("the tenant's account sends as its central sender, and does not say so")
	}
	refused := failure.Classify(failure.Cause{Stage: failure.StageMail, Reply: failure.Reply{Code: 553, Lines: []string{"5.7.1 Sender address rejected: not owned by user"}}})
	if hint := refused.OfCentralSender().Hint("en"); !strings.Contains(hint, "central sender address") {
		t.Errorf("the tenant's account: %s", hint)
	}
	if s = mustResolve(t, c, person()); s.Central() {
		t.Error("the user's own account is blamed for the tenant's central sender")
	}
}

func triesUnsaved(t *testing.T) {
	t.Parallel()
	path := file(t, rowsFile(shared, ""))
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := candidates(t, f, "acme", "")
	e, err := resolver.ParseEntry("stdin", []byte("{address: new@acme.example, smtp: {host: new.example, password: pw}}"), resolver.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	a := e.Account.Account(resolver.Tenant, "acme", "")
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	s := resolver.Through(a, before, program())
	if s.Account != a || s.From.Address != "new@acme.example" || s.ReplyTo[0].Address != "it@acme.example" {
		t.Errorf("sender is %+v", s)
	}
	if err := f.Reload(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, candidates(t, f, "acme", "")); diff != "" {
		t.Errorf("something was stored: %s", diff)
	}
}

func triesAUser(t *testing.T) {
	t.Parallel()
	f := load(t, rowsFile(shared, own))
	c := candidates(t, f, "acme", "max")
	for _, mail := range []resolver.Request{person(), program(), marketing(person())} {
		if s := resolver.Through(c.User, c, mail); s.Account.ID() != "user/acme/max" || s.From.Address != "max@acme.example" {
			t.Errorf("%s: sender is %+v", mail.Category, s)
		}
	}
	wrong := *c.User
	wrong.SMTP.Password = resolver.Secret{}
	if got := problems(wrong.Validate()); len(got) != 1 || !strings.HasPrefix(got[0], "smtp.password: is missing") {
		t.Errorf("whether the data are right: %q", got)
	}
}

func triesForWhoAsks(t *testing.T) {
	t.Parallel()
	f := load(t, rowsFile(strings.Replace(shared, "name: ACME", "reply_to_user: true", 1), ""))
	c := candidates(t, f, "acme", "")
	signedIn := resolver.Request{Tenant: "acme", Origin: rohrpost.Manual, User: rohrpost.User{FirstName: "Ada", LastName: "Admin", Address: "ada@acme.example"}}
	s := resolver.Through(c.Tenant, c, signedIn)
	if diff := cmp.Diff([]rohrpost.Address{{Name: "Ada Admin", Address: "ada@acme.example"}}, s.ReplyTo); diff != "" || s.From.Name != "Ada Admin" {
		t.Errorf("the person who is signed in is not in the mail: %v, %s", s.From, diff)
	}
}

func keepsWhatWasEntered(t *testing.T) {
	t.Parallel()
	const off = "use_platform_default: true, "
	ticked := strings.Replace(shared, "address:", off+"address:", 1)
	a := candidates(t, load(t, rowsFile(ticked, "")), "acme", "").Tenant
	b := candidates(t, load(t, rowsFile(shared, "")), "acme", "").Tenant
	again := *a
	again.UsePlatformDefault = false
	if diff := cmp.Diff(b, &again); diff != "" || !a.UsePlatformDefault {
		t.Errorf("ticking and unticking changes the account: %s", diff)
	}
}

func wearsTheLook(t *testing.T) {
	t.Parallel()
	f := load(t, rowsFile(shared, own)+"    branding: {enabled: true, company: ACME GmbH}\n  globex: {}\n")
	c := candidates(t, f, "acme", "max")
	for level, mail := range map[resolver.Level]resolver.Request{
		resolver.User: person(), resolver.Tenant: program(), resolver.Platform: marketing(person()),
	} {
		s := mustResolve(t, c, mail)
		if s.Account.Level != level || s.Branding == nil || !s.Branding.Enabled || s.Branding.Company != "ACME GmbH" {
			t.Errorf("%s: look is %+v", level, s.Branding)
		}
	}
	if s := mustResolve(t, candidates(t, f, "globex", ""), resolver.Request{Tenant: "globex"}); s.Branding != nil {
		t.Errorf("another tenant wears %+v", s.Branding)
	}
}

func keepsTenantsApart(t *testing.T) {
	t.Parallel()
	f := load(t, rowsFile("", own)+"  globex: {users: {max: {account: {address: max@globex.example, smtp: {host: h.example}}}}}\n")
	r, err := resolver.New(resolver.Options{Store: f})
	if err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[string]string{"acme": "user/acme/max", "globex": "user/globex/max", "other": "platform"} {
		mail := person()
		mail.Tenant = tenant
		if s, err := r.Resolve(t.Context(), mail); err != nil || s.Account.ID() != want {
			t.Errorf("max of %s sends through %v, %v", tenant, s.Account, err)
		}
	}
}

// hintsAt: the note of a preset says it in both languages, and a password there
// is warned about with it.
func hintsAt(provider, english, german string) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		p, _ := resolver.PresetByID(provider)
		if !strings.Contains(p.Note.English, english) || !strings.Contains(p.Note.German, german) {
			t.Errorf("the note is %+v", p.Note)
		}
		f := load(t, rowsFile("", "{provider: "+provider+", address: max@acme.example, smtp: {password: pw}}"))
		s := mustResolve(t, candidates(t, f, "acme", "max"), person())
		if w := strings.Join(s.Explain().Warnings, "\n"); !strings.Contains(w, english) {
			t.Errorf("warnings are %q", w)
		}
	}
}

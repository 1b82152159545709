package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/trial"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// service answers with what it was asked, or with an error.
type service struct{ err error }

func (s service) Admit(_ context.Context, who redisstore.Actor, p resolver.Place) error {
	return redisstore.MayTry(who, p)
}

func (s service) Explain(_ context.Context, _ redisstore.Actor, req resolver.Request, lang string) (resolver.Explanation, error) {
	why := fmt.Sprintf("%s %s %s %s %s", req.User.ID, req.Origin, req.Category, req.From.Address, lang)
	return resolver.Explanation{Account: req.Tenant, Why: why}, s.err
}

func (s service) TestMail(_ context.Context, t accounts.Try) (accounts.Result, error) {
	r := accounts.Result{Account: t.Place.String(), To: t.To.Address, ReplyTo: t.Person, Hint: t.Language, Reply: string(t.Who.Role) + " " + t.Who.Name}
	if t.Unsaved != nil {
		r.From = t.Unsaved.Account.Address
	}
	return r, s.err
}

func (s service) Examine(_ context.Context, t accounts.Try) (doctor.Report, error) {
	return doctor.Report{Host: t.Place.String(), Language: t.Language}, s.err
}

func (s service) ReleaseBy(context.Context, redisstore.Actor, resolver.Place) error { return s.err }

const asJSON = "application/json"

func TestAccountRoutes(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) { o.Accounts, o.Language = service{}, "de" })
	for _, tt := range []struct {
		name, user, method, path, body string
		status                         int
		want                           string
	}{
		{
			"explain", "adam", "GET", "/api/accounts/explain?tenant=acme&user=max&origin=manual&category=marketing&from=a@acme.example&language=en", "",
			200, `"account":"acme",*max manual marketing a@acme.example en`,
		},
		{"explain to a reader", "rita", "GET", "/api/accounts/explain?tenant=acme", "", 200, `"account":"acme"`},
		{"explain another tenant", "adam", "GET", "/api/accounts/explain?tenant=globex", "", 403, "not allowed"},
		{"explain the platform", "adam", "GET", "/api/accounts/explain", "", 403, "not allowed"},
		{"explain to an operator", "olga", "GET", "/api/accounts/explain?tenant=globex", "", 200, "globex"},
		{"explain to nobody", "", "GET", "/api/accounts/explain?tenant=acme", "", 401, ""},
		{
			"F4 test mail", "adam", "POST", "/api/accounts/test", `{"tenant":"acme","user":"max","to":"adam@acme.example"}`,
			200, `"account":"user/acme/max",*adam@acme.example*"hint":"de","reply":"admin web:adam"`,
		},
		{
			"T3 unsaved settings", "olga", "POST", "/api/accounts/test", `{"tenant":"acme","to":"o@p.example","language":"en","settings":{"address":"x@acme.example","smtp":{"host":"h.example"}}}`,
			200, `"from":"x@acme.example"*operator web:olga`,
		},
		{"O4 to nobody", "adam", "POST", "/api/accounts/test", `{"tenant":"acme"}`, 200, `"to":""*"reply_to":"adam@acme.example"`},
		{"wrong settings", "adam", "POST", "/api/accounts/test", `{"tenant":"acme","settings":{"sender":"x"}}`, 400, "unknown key"},
		{"a reader tries nothing", "rita", "POST", "/api/accounts/test", `{"tenant":"acme"}`, 403, "not allowed"},
		{"another tenant's", "adam", "POST", "/api/accounts/doctor", `{"tenant":"globex"}`, 403, "not allowed"},
		{"doctor", "adam", "POST", "/api/accounts/doctor", `{"tenant":"acme"}`, 200, `"host":"tenant/acme"`},
		{"no JSON", "adam", "POST", "/api/accounts/test", `tenant=acme`, 400, "body"},
		{"unknown field", "adam", "POST", "/api/accounts/test", `{"tenant":"acme","pasword":"canary"}`, 400, "body"},
		{"too large", "adam", "POST", "/api/accounts/test", `{"tenant":"` + strings.Repeat("x", 2<<20) + `"}`, 400, "body"},
		{"wrong method", "adam", "GET", "/api/accounts/test", "", 404, ""},
	} {
		got := s.do(t, tt.user, tt.method, tt.path, tt.body, "Content-Type", asJSON)
		if got.status != tt.status || strings.Contains(got.body, "canary") {
			t.Errorf("%s: %d %.300s", tt.name, got.status, got.body)
		}
		rest := got.body
		for piece := range strings.SplitSeq(tt.want, "*") {
			_, after, ok := strings.Cut(rest, piece)
			if !ok {
				t.Errorf("%s: %q is not in %.300s", tt.name, piece, got.body)
			}
			rest = after
		}
	}
	if got := s.do(t, "adam", "POST", "/api/accounts/test", `{"tenant":"acme"}`, "Content-Type", "text/plain"); got.status != http.StatusBadRequest {
		t.Errorf("a form of another site could send this: %d", got.status)
	}
	if got := s.do(t, "adam", "POST", "/api/accounts/test", `{"tenant":"acme"}`, "Content-Type", asJSON, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("another site: %d", got.status)
	}
}

func TestAccountErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
		want   string
	}{
		{fmt.Errorf("tenant/acme: %w", redisstore.ErrUnknown), 404, "no such account"},
		{redisstore.ErrForbidden, 403, "not allowed"},
		{fmt.Errorf("x: %w", redisstore.ErrConflict), 409, "somebody else"},
		{fmt.Errorf("x: %w: /run/secrets/canary", resolver.ErrUnusable), 409, "operator"},
		{fmt.Errorf("x: %w", redisstore.ErrLocked), 403, "operator"},
		{fmt.Errorf("to: %w", accounts.ErrRecipient), 403, "only an operator may name"},
		{trial.ErrNoWorker, 503, "start one"},
		{fmt.Errorf("%w: dial canary", trial.ErrAway), 503, "nobody knows"},
		{trial.ErrRunning, 429, "under way"},
		{&doctor.TooOften{RetryAfter: 20 * time.Second}, 429, "too often"},
		{fmt.Errorf("%w: dial canary", doctor.ErrUncounted), 503, "while Redis does not answer"},
		{&rohrpost.FieldError{Field: "smtp.host", Problem: "is missing"}, 400, "smtp.host"},
		{errors.New("dial tcp canary"), 500, "the operator finds the reason"},
	} {
		s := newSite(t, func(o *web.Options) { o.Accounts = service{tt.err} })
		got := s.do(t, "adam", "POST", "/api/accounts/doctor", `{"tenant":"acme"}`, "Content-Type", asJSON)
		if got.status != tt.status || !strings.Contains(got.body, tt.want) || strings.Contains(got.body, "canary") {
			t.Errorf("%v: %d %s", tt.err, got.status, got.body)
		}
		if errors.Is(tt.err, doctor.ErrTooOften) && got.header.Get("Retry-After") != "21" {
			t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
		}
	}
	s := newSite(t, nil)
	if got := s.do(t, "olga", "GET", "/api/accounts/explain", ""); got.status != http.StatusNotFound {
		t.Errorf("without accounts: %d", got.status)
	}
}

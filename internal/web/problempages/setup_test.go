package problempages_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/web/problempages"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// at is the clock of these tests.
func at() time.Time { return time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC) }

// said is what the services say.
type said struct {
	report   *problems.Report
	outcomes map[string]problems.Outcome
	overview *overview.Overview
	entries  []errorlog.Entry
	filters  []errorlog.Filter
	whose    problems.Whose
}

func (s *said) Report(_ context.Context, whose problems.Whose) (*problems.Report, error) {
	s.whose = whose
	return s.report, nil
}

func (s *said) Outcomes(_ context.Context, names []ledger.Name) ([]problems.Outcome, error) {
	out := make([]problems.Outcome, len(names))
	for i, n := range names {
		out[i] = s.outcomes[n.ID]
	}
	return out, nil
}

func (s *said) Overview(_ context.Context, whose problems.Whose) *overview.Overview {
	s.whose = whose
	return s.overview
}

func (s *said) Query(_ context.Context, f errorlog.Filter) iter.Seq2[errorlog.Entry, error] {
	s.filters = append(s.filters, f)
	return func(yield func(errorlog.Entry, error) bool) {
		for i, e := range s.entries {
			if i == f.Limit || !yield(e, nil) {
				return
			}
		}
	}
}

func (s *said) Export(context.Context, io.Writer, errorlog.Filter, errorlog.Format, string) (errorlog.Summary, error) {
	return errorlog.Summary{}, nil
}

func (s *said) Tenants(context.Context) ([]string, error) {
	return []string{"", "acme", `"><script>`}, nil
}

// site serves the pages to one person.
type site struct {
	mux    *http.ServeMux
	person signin.Person
}

// Handle implements ui.Router.
func (s *site) Handle(pattern string, need ui.Need, h ui.Handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if !need.Met(r, s.person) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		h(w, r, s.person)
	})
}

func operator() signin.Person { return signin.Person{Name: "olga", Role: configs.RoleOperator} }

func admin(tenant string) signin.Person {
	return signin.Person{Name: "adam", Role: configs.RoleAdmin, Tenant: tenant, Zone: "Europe/Berlin"}
}

func reader(tenant string) signin.Person {
	return signin.Person{Name: "rita", Role: configs.RoleReader, Tenant: tenant}
}

func open(t *testing.T, s *said) *site {
	t.Helper()
	pages, err := ui.New(ui.Options{Language: "en", BasePath: "/mail", Retention: 24 * time.Hour, Now: at})
	if err != nil {
		t.Fatal(err)
	}
	p, err := problempages.New(problempages.Options{UI: pages, ErrorLog: s, Problems: s, Overviews: s, Now: at, PieceTime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	out := &site{mux: http.NewServeMux(), person: operator()}
	p.Register(out)
	return out
}

func (s *site) get(t *testing.T, p signin.Person, path string) *httptest.ResponseRecorder {
	t.Helper()
	s.person = p
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w
}

// has reports what of a page is missing, and what is there that must not be.
func has(t *testing.T, body string, want, never []string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(body, s) {
			t.Errorf("%q is missing", s)
		}
	}
	for _, s := range never {
		if strings.Contains(body, s) {
			t.Errorf("%q is there", s)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

func refusedLogin() failure.Detail {
	return failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 wrong password"}}}).Detail()
}

func parked(account, tenant string, mails int64) problems.Waiting {
	return problems.Waiting{
		Kind: problems.Parked, Account: account, Tenant: tenant, Since: at().Add(-40 * time.Minute), Mails: mails, Detail: refusedLogin(),
	}
}

// evil is a text that every server, tenant, user and recipient may bring.
const evil = `"'><script>alert(1)</script>`

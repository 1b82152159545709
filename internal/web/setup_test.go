package web_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/producer"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	m.Run()
}

// site is a server with its Redis. The password of everybody is "pw".
type site struct {
	*httptest.Server
	pages *web.Server
	redis *redistest.Server
	log   *errorlog.Log
	lines *lockedBuffer // what the server logged
	mails counter       // through which mails are acted on
	users []configs.User

	ledger  *ledger.Ledger
	breaker *breaker.Breaker
}

func newSite(t *testing.T, change func(*web.Options), serverChanges ...func(*http.Server)) *site {
	t.Helper()
	return newSiteAt(t, redistest.Start(t), change, serverChanges...)
}

// newSiteAt is a server beside others that have the same Redis.
func newSiteAt(t *testing.T, server *redistest.Server, change func(*web.Options), serverChanges ...func(*http.Server)) *site {
	t.Helper()
	s := &site{redis: server, lines: &lockedBuffer{}}
	client := s.redis.Client(t)
	var err error
	if s.log, err = errorlog.New(errorlog.Options{Redis: client}); err != nil {
		t.Fatal(err)
	}
	if s.mails.Client, err = producer.New(client, producer.Options{}); err != nil {
		t.Fatal(err)
	}
	o := web.Options{
		OpenRedis: func() (redis.UniversalClient, error) {
			return redisconn.Open(redisconn.Options{URL: s.redis.URL()})
		},
		Redis: client, ErrorLog: s.log, Problems: s.problems(t, client), Mails: s.mails, Users: users(t), Version: "v0-test", Logger: zerolog.New(s.lines),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("rohrpost_build_info 1\n")) }),
	}
	if change != nil {
		change(&o)
	}
	s.users = o.Users
	if s.pages, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewUnstartedServer(nil)
	s.Config = web.NewHTTPServer(s.pages.Handler(), o.Logger)
	for _, change := range serverChanges {
		change(s.Config)
	}
	s.Start()
	t.Cleanup(func() {
		s.Server.Close()
		if err := s.pages.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// port is that of the server, which stands in the names of its cookies.
func (s *site) port() string {
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return port
}

// problems finds them, with the states that Redis has.
func (s *site) problems(t testing.TB, client redis.UniversalClient) *problems.Service {
	t.Helper()
	backlogs := backlog.New(client, nil)
	states, err := breaker.New(breaker.Options{Redis: client, Backlog: backlogs})
	if err != nil {
		t.Fatal(err)
	}
	if s.ledger, err = ledger.New(ledger.Options{Redis: client}); err != nil {
		t.Fatal(err)
	}
	s.breaker = states
	found, err := problems.New(problems.Options{
		Log: s.log, Ledger: s.ledger, Backlogs: backlogs, States: func(context.Context) ([]*breaker.State, error) { return states.States(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func users(t *testing.T) []configs.User {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	user := func(name, role, tenant string) configs.User {
		return configs.User{Name: name, Role: role, Tenant: tenant, PasswordBcrypt: secret.New(string(hash))}
	}
	all := []configs.User{
		user("olga", configs.RoleOperator, ""), user("adam", configs.RoleAdmin, "acme"), user("rita", configs.RoleReader, "acme"),
	}
	all[1].Address = "adam@acme.example"
	return all
}

func noUsers(o *web.Options) { o.Users = nil }

// answered is a response that was read.
type answered struct {
	status int
	header http.Header
	body   string
}

// request is a GET of a path, without a login.
func (s *site) request(t *testing.T, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// do sends a request as user ("" : without a login); header are pairs.
func (s *site) do(t *testing.T, user, method, path, body string, header ...string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, "pw")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	return read(t, r)
}

func (s *site) get(t *testing.T, user, path string, header ...string) answered {
	t.Helper()
	return s.do(t, user, http.MethodGet, path, "", header...)
}

func (s *site) append(t *testing.T, entries ...errorlog.Entry) {
	t.Helper()
	if err := s.log.Append(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func entry(tenant, job string) errorlog.Entry {
	f := failure.Classify(failure.Cause{
		Stage: failure.StageRcpt, Host: "mx.example.org",
		Reply: failure.Reply{Code: 550, Lines: []string{"5.1.1 <kunde@example.org>: no such user"}},
	})
	return errorlog.Entry{
		Time: time.Now(), Tenant: tenant, User: "max", JobID: job, MessageID: "<" + job + "@acme.example>", Attempt: 1,
		Account: "info@acme.example", Level: "tenant", Host: "mx.example.org:25", Recipients: []string{"kunde@example.org"}, Final: true,
	}.Because(f)
}

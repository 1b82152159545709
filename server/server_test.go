package server_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/server"
	"github.com/rohrpost/rohrpost/worker"
)

// nobody is a store without accounts.
type nobody struct{}

func (nobody) Accounts(context.Context, string, string) (resolver.Candidates, error) {
	return resolver.Candidates{}, nil
}

// TestFaults: all that is wrong with worker and pages is told at once.
func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := server.New(server.Options{
		Worker: worker.Options{Concurrency: -1}, Addr: "0.0.0.0", Users: []configs.User{{Name: "olga", Role: "queen"}}, MetricsToken: rohrpost.NewSecret("short"),
	})
	for _, fault := range []string{"a Redis client is required", "concurrency", "web.addr", "password_bcrypt", "role", "metrics_token"} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not told: %v", fault, err)
		}
	}
}

// TestPages: who has the link reads the pages, and the worker runs beside them.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newServer(t, redistest.Start(t), "127.0.0.1:0")
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.WithoutCancel(t.Context())) }()
	_, token, _ := strings.Cut(s.Link("http://pages.example/"), "token=")
	for path, want := range map[string]int{"/readyz": http.StatusOK, "/problems": http.StatusOK, "/queues/": http.StatusOK, "/queues/api/redis_info": http.StatusOK, "/metrics": http.StatusOK} {
		r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-ended; err != nil && !errors.Is(err, worker.ErrClosed) { // closed before it began
		t.Error(err)
	}
}

// TestTaken: an address that is taken is the error of Run.
func TestTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	s := newServer(t, redistest.Start(t), taken.Addr().String())
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "choose another address") {
		t.Error(err)
	}
}

func newServer(t *testing.T, redis *redistest.Server, addr string) *server.Server {
	t.Helper()
	s, err := server.New(server.Options{Worker: worker.Options{Redis: redis.Client(t), Store: nobody{}}, Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

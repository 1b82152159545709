package signin

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// TestKept: a secret is kept with the session of a browser, for where it goes, until its
// person signs out. A login without a session keeps none.
func TestKept(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t)
	l := testLogin(t, time.Now, func(o *Options) { o.Redis = client })
	here := seal.Purpose{"host": "smtp.acme.example", "port": "465"}
	signedIn := func(name, password string) (*http.Request, Person) {
		t.Helper()
		w := httptest.NewRecorder()
		if err := l.SignIn(w, httptest.NewRequest(http.MethodPost, "/login", nil), name, password); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		for _, c := range w.Result().Cookies() {
			r.AddCookie(c)
		}
		p, err := l.Who(httptest.NewRecorder(), r)
		if err != nil {
			t.Fatal(err)
		}
		return r, p
	}
	keep := func(r *http.Request, p Person, want bool) {
		t.Helper()
		if kept, err := l.Keep(r, p, here, secret.New("canary")); kept != want || err != nil {
			t.Errorf("kept %v, %v", kept, err)
		}
	}
	take := func(r *http.Request, p Person, purpose seal.Purpose, want, what string) {
		t.Helper()
		if got, err := l.Kept(r, p, purpose); got.Reveal() != want || err != nil {
			t.Errorf("%s: %q, %v", what, got.Reveal(), err)
		}
	}
	r, p := signedIn("adam", "adam's")
	second, _ := signedIn("adam", "adam's") // the same person in another browser
	other, olga := signedIn("olga", "olga's")
	keep(r, p, true)
	take(second, p, here, "", "another session")
	take(other, olga, here, "", "another person")
	take(r, olga, here, "", "another person's name")
	take(r, p, seal.Purpose{"host": "evil.example", "port": "465"}, "", "another server")
	take(r, p, here, "canary", "the same")
	take(r, p, here, "", "twice")

	keep(r, p, true)
	if _, err := l.SignOut(httptest.NewRecorder(), r, false); err != nil {
		t.Fatal(err)
	}
	if keys := client.Keys(t.Context(), "*:kept").Val(); len(keys) != 0 {
		t.Errorf("after the sign-out there is %v", keys)
	}
	take(r, p, here, "", "after the sign-out")

	basic := request("adam", "adam's")
	p, err := l.Who(httptest.NewRecorder(), basic)
	if err != nil {
		t.Fatal(err)
	}
	keep(basic, p, false)
}

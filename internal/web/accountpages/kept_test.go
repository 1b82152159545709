package accountpages_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/session"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// sessionHeader names the session of a request; without it there is none.
const sessionHeader = "X-Session"

// keeper keeps with the session that the header names.
type keeper struct{ store *session.Store }

func (k keeper) Keep(r *http.Request, _ signin.Person, purpose seal.Purpose, s secret.String) (bool, error) {
	id := r.Header.Get(sessionHeader)
	if id == "" {
		return false, nil
	}
	return true, k.store.Keep(r.Context(), id, textOf(purpose), s.Reveal())
}

func (k keeper) Kept(r *http.Request, _ signin.Person, purpose seal.Purpose) (secret.String, error) {
	text, err := k.store.Take(r.Context(), r.Header.Get(sessionHeader), textOf(purpose))
	return secret.New(text), err
}

func textOf(p seal.Purpose) string {
	text, _ := json.Marshal(p)
	return string(text)
}

// again is a form as the page of a test has it: without the password, which is kept.
func (s *site) again(do string) url.Values {
	form := s.filled(do, "info@acme.example")
	form.Del("smtp.password")
	form.Set("kept", "1")
	return form
}

const isGone = "is not kept any more, or was entered for another server or login"

// TestKept: who has tested a password saves with it, and enters it once.
func TestKept(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	s.post("anna", tenantPage, s.filled("test", "info@acme.example")).lacks(t, `name="kept"`) // without a session
	s.session = "a session"
	tested := s.post("anna", tenantPage+"?lang=de", s.filled("test", "info@acme.example"))
	tested.has(t, `name="kept" value="1"`, `placeholder="vom Test behalten"`, "Das Passwort vom Test ist zehn Minuten lang behalten")
	tested.lacks(t, "nie wieder angezeigt")
	s.post("anna", tenantPage, s.again("test")).has(t, "The server has taken the test mail", `name="kept" value="1"`)

	wrong := s.again("save")
	wrong.Set("reverse_path", "neither") // another field is mended before it is saved
	s.post("anna", tenantPage, wrong).has(t, "Address for undeliverable mail", `name="kept" value="1"`)
	s.post("anna", tenantPage, s.again("save")).leadsTo(t, tenantPage+"?done=saved")
	r := s.stored(acme)
	if r.Account.SMTP.Password.Reveal() != hunter2 {
		t.Error("another password is stored")
	}

	// It was good once: what is stored is not taken for it.
	late := s.again("save")
	late.Set("version", strconv.FormatInt(r.Version, 10))
	if got := s.post("anna", tenantPage, late); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a second time: %d", got.status)
	} else {
		got.has(t, isGone)
	}
	late.Set("do", "test")
	s.post("anna", tenantPage, late).has(t, isGone)
	late.Set("do", "save")
	late.Del("kept")
	s.post("anna", tenantPage, late).leadsTo(t, tenantPage+"?done=saved")
}

// TestKeptElsewhere: what is kept goes nowhere else: to no other session, place, server,
// login or encryption.
func TestKeptElsewhere(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	s.session = "a session"
	s.post("anna", tenantPage, s.filled("doctor", "info@acme.example")).has(t, `name="kept" value="1"`)
	for name, change := range map[string]func(url.Values){
		"another server":     func(f url.Values) { f.Set("smtp.host", "evil.example") },
		"another port":       func(f url.Values) { f.Set("smtp.port", "2525") },
		"another login":      func(f url.Values) { f.Set("smtp.username", "eve") },
		"another encryption": func(f url.Values) { f.Set("smtp.encryption", "starttls") },
		"another provider":   func(f url.Values) { f.Set("provider", "ionos"); f.Del("smtp.host") },
	} {
		for _, do := range []string{"save", "test", "doctor"} {
			form := s.again(do)
			change(form)
			got := s.post("anna", tenantPage, form)
			if got.status == http.StatusTooManyRequests {
				s.rdb.Del(t.Context(), s.rdb.Keys(t.Context(), "rohrpost:doctor:*").Val()...)
				got = s.post("anna", tenantPage, form)
			}
			if got.status != http.StatusUnprocessableEntity {
				t.Errorf("%s, %s: %d", name, do, got.status)
			}
			got.has(t, isGone)
		}
	}
	if n := s.smtp.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	s.post("anna", maxPage, s.again("save")).has(t, isGone)
	s.session = "another session"
	s.post("anna", tenantPage, s.again("save")).has(t, isGone)
	s.session = ""
	s.post("anna", tenantPage, s.again("save")).has(t, isGone)
	if _, err := s.store.Get(t.Context(), acme); err == nil {
		t.Error("it was stored")
	}
	s.session = "a session"
	s.post("anna", tenantPage, s.again("save")).leadsTo(t, tenantPage+"?done=saved")
}

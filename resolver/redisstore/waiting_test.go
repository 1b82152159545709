package redisstore_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

var maxHimself = redisstore.Actor{Name: "max", Role: redisstore.Person, Tenant: "acme", User: "max"}

// waiting are the places that wait for an operator, with what for.
func waiting(t *testing.T, s *redisstore.Store) []string {
	t.Helper()
	list, more, err := s.Waiting(t.Context(), olga, 0, 50)
	if err != nil || more {
		t.Fatalf("more %v, %v", more, err)
	}
	var out []string
	for _, w := range list {
		out = append(out, string(w.Waits)+" "+w.Place.String())
	}
	return out
}

// TestWaiting is the life of a request and of settings, as operators see it over all
// tenants.
func TestWaiting(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	o.Policy = redisstore.Policy{Unlock: true, Check: true, Approve: true}
	s := open(t, o)
	step := func(name string, err error, want ...string) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, waiting(t, s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if err := s.Request(t.Context(), anna, "acme", "please"); !errors.Is(err, redisstore.ErrNotAccepted) {
		t.Errorf("without accepting: %v", err)
	}
	step("accept", s.Accept(t.Context(), anna, "acme"))
	step("request", s.Request(t.Context(), anna, "acme", "please"), "unlock tenant/acme")
	step("refuse", s.Refuse(t.Context(), olga, acme, get(t, s, acme).Version, "not yet"))
	if r := get(t, s, acme); r.Refused == nil || r.Refused.Text != "not yet" || r.Requested != nil || r.Accepted == nil || r.Accepted.By != "anna" {
		t.Errorf("refused: %+v", r)
	}
	step("ask again", s.Request(t.Context(), anna, "acme", "now"), "unlock tenant/acme")
	step("unlock", s.Unlock(t.Context(), olga, "acme", true))
	version := put(t, s, maxM, 0, entry("max@acme.example"))
	step("enter", nil)
	step("check", s.MarkChecked(t.Context(), maxHimself, maxM, version), "approve user/acme/max")
	step("lock", s.Unlock(t.Context(), olga, "acme", false))
	step("unlock again", s.Unlock(t.Context(), olga, "acme", true), "approve user/acme/max")
	step("refuse settings", s.Refuse(t.Context(), olga, maxM, get(t, s, maxM).Version, "use TLS"))
	if err := s.Refuse(t.Context(), olga, maxM, get(t, s, maxM).Version, "again"); !errors.Is(err, redisstore.ErrNothingWaits) {
		t.Errorf("refused twice: %v", err)
	}
	version = put(t, s, maxM, get(t, s, maxM).Version, entry("m@acme.example"))
	if get(t, s, maxM).Refused != nil {
		t.Error("new settings are refused for the old ones")
	}
	step("check again", s.MarkChecked(t.Context(), anna, maxM, version), "approve user/acme/max")
	step("approve", s.Approve(t.Context(), olga, maxM, get(t, s, maxM).Version))
	if _, _, err := s.Waiting(t.Context(), anna, 0, 1); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("an administrator sees all tenants: %v", err)
	}
	if err := s.Refuse(t.Context(), anna, maxM, 1, "x"); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("an administrator refuses: %v", err)
	}
}

// TestSinceApproval folds the changes since an operator has approved.
func TestSinceApproval(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	o.Policy = redisstore.Policy{Approve: true}
	s := open(t, o)
	named := func(address string) *resolver.Entry {
		e := entry(address)
		e.Account.SMTP.Username = "info"
		return e
	}
	version := put(t, s, acme, 0, named("a@acme.example"))
	fields := func() map[string][2]string {
		t.Helper()
		changes, err := s.SinceApproval(t.Context(), olga, acme)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string][2]string{}
		for _, c := range changes {
			out[c.Field] = [2]string{c.Old, c.New}
		}
		return out
	}
	if got := fields(); got["account.address"] != [2]string{"", "a@acme.example"} || got["account.smtp.password"] != [2]string{"", "changed"} {
		t.Errorf("never approved: %v", got)
	}
	if err := s.Approve(t.Context(), olga, acme, version); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"b@acme.example", "c@acme.example"} {
		e := named(address)
		e.Account.Name, e.Account.SMTP.Password = "ACME", resolver.Secret{}
		put(t, s, acme, get(t, s, acme).Version, e)
	}
	want := map[string][2]string{"account.address": {"a@acme.example", "c@acme.example"}, "account.name": {"", "ACME"}}
	if diff := cmp.Diff(want, fields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestReindex lists what an older version has stored, and drops what waits no more.
func TestReindex(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	o.Policy = redisstore.Policy{Approve: true}
	now := time.Now()
	o.Now = func() time.Time { return now }
	s := open(t, o)
	put(t, s, maxM, 0, entry("max@acme.example"))
	rdb.Del(t.Context(), "rohrpost:accounts:{t:acme}:users", "rohrpost:accounts:names", "rohrpost:accounts:waiting")
	rdb.ZAdd(t.Context(), "rohrpost:accounts:waiting", redis.Z{Score: float64(now.Add(-time.Hour).UnixMilli()), Member: "gone\x00"})
	put(t, s, acme, 0, &resolver.Entry{AdminAddress: "it@acme.example"})
	rdb.Del(t.Context(), "rohrpost:accounts:names")
	if _, err := s.Reindex(t.Context()); err != nil {
		t.Fatal(err)
	}
	users, err := s.Users(t.Context(), "acme", "", "", 10)
	names, namesErr := s.Tenants(t.Context(), "", "", 10)
	if !slices.Equal(users, []string{"max"}) || !slices.Equal(names, []string{"acme"}) || errors.Join(err, namesErr) != nil {
		t.Errorf("users %v, tenants %v, %v", users, names, errors.Join(err, namesErr))
	}
	if got := waiting(t, s); !slices.Equal(got, []string{"approve user/acme/max"}) {
		t.Errorf("waiting are %v", got)
	}
	if n := rdb.ZCard(t.Context(), "rohrpost:accounts:waiting").Val(); n != 1 {
		t.Errorf("%d are listed", n)
	}
	if err := s.Delete(t.Context(), olga, maxM, get(t, s, maxM).Version); err != nil {
		t.Fatal(err)
	}
	if users, _ := s.Users(t.Context(), "acme", "", "", 10); len(users) != 0 {
		t.Errorf("after deletion %v", users)
	}
}

// TestPerson: somebody with the role user has their own account, and no other place.
func TestPerson(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	s := open(t, o)
	if _, err := s.Put(t.Context(), maxHimself, maxM, 0, entry("max@acme.example")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []resolver.Place{{}, acme, {Tenant: "acme", User: "eva"}, {Tenant: "globex", User: "max"}} {
		if _, err := s.Put(t.Context(), maxHimself, p, 0, entry("x@acme.example")); !errors.Is(err, redisstore.ErrForbidden) {
			t.Errorf("%s: %v", p, err)
		}
		if err := errors.Join(redisstore.MaySee(maxHimself, p), redisstore.MayTry(maxHimself, p)); !errors.Is(err, redisstore.ErrForbidden) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if err := s.Accept(t.Context(), maxHimself, "acme"); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("accepts for the tenant: %v", err)
	}
	if _, err := s.HistoryOf(t.Context(), maxHimself, maxM, 10); err != nil {
		t.Error(err)
	}
	if _, err := s.History(t.Context(), maxHimself, "acme", 10); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("the tenant's history: %v", err)
	}
}

// TestLockedTenant may change what is no server of its own.
func TestLockedTenant(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	o.Policy = redisstore.Policy{Unlock: true, Accept: true}
	s := open(t, o)
	address := &resolver.Entry{AdminAddress: "it@acme.example"}
	version, err := s.Put(t.Context(), anna, acme, 0, address)
	if err != nil {
		t.Errorf("its address: %v", err)
	}
	if _, err := s.Put(t.Context(), anna, acme, version, entry("a@acme.example")); !errors.Is(err, redisstore.ErrLocked) {
		t.Errorf("a server: %v", err)
	}
	if err := s.Unlock(t.Context(), olga, "acme", true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), anna, acme, get(t, s, acme).Version, entry("a@acme.example")); !errors.Is(err, redisstore.ErrNotAccepted) {
		t.Errorf("not accepted: %v", err)
	}
}

// TestAllFaults tells everything that is wrong with an entry at once.
func TestAllFaults(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	s := open(t, o)
	version := put(t, s, acme, 0, entry("a@acme.example"))
	bad := entry("nobody")
	bad.AdminAddress, bad.Account.SMTP.Host, bad.Account.SMTP.Password = "x", "other.example", resolver.Secret{}
	bad.Account.SMTP.Encryption = "rot13"
	_, err := s.Put(t.Context(), anna, acme, version, bad)
	_, previewErr := s.Preview(t.Context(), anna, acme, bad)
	for name, err := range map[string]error{"put": err, "preview": previewErr} {
		var fields []string
		var walk func(error)
		walk = func(err error) {
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range joined.Unwrap() {
					walk(e)
				}
			} else if f, ok := errors.AsType[*rohrpost.FieldError](err); ok {
				fields = append(fields, f.Field)
			}
		}
		walk(err)
		slices.Sort(fields)
		if diff := cmp.Diff([]string{"address", "admin_address", "smtp.encryption", "smtp.password"}, fields); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

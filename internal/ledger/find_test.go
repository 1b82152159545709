package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// reserveOf opens the record of a tenant's job; bare: as older versions did.
func (b *book) reserveOf(tenant, id string, bare bool) *payload.Job {
	b.tb.Helper()
	j := b.job(id, 1)
	j.Tenant, j.Bare = tenant, bare
	if _, err := b.reserve(j, "nonce of "+tenant); err != nil {
		b.tb.Fatal(err)
	}
	return j
}

func TestFind(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.reserveOf("acme", "both", false)
	b.reserveOf("globex", "both", false)
	b.reserveOf("", "both", false)
	b.reserveOf("acme", "old", true)
	b.reserveOf("", "platform", false)
	b.reserveOf("Müller & Söhne", "umlaut", false)
	for _, tt := range []struct {
		tenant, id string
		want       payload.Key // "": unknown
	}{
		{"acme", "both", "both,acme"},
		{"globex", "both", "both,globex"},
		{"", "both", "both"},
		{"initech", "both", ""},
		{"acme", "old", "old"},
		{"globex", "old", ""},
		{"", "old", ""},
		{"", "platform", "platform"},
		{"acme", "platform", ""},
		{"Müller & Söhne", "umlaut", "umlaut,M~C3~BCller~20~26~20S~C3~B6hne"},
		// A key is no id: neither the platform nor a tenant sees others' jobs by it.
		{"", "both,acme", ""},
		{"globex", "both,acme", ""},
		{"acme", "both,acme", ""},
		{"acme", "both}", ""},
		{"acme", "", ""},
	} {
		before := b.trips.Load()
		r, err := b.Find(t.Context(), tt.tenant, tt.id)
		if tt.want == "" {
			if !errors.Is(err, ledger.ErrUnknown) {
				t.Errorf("%s of %q: %+v, %v", tt.id, tt.tenant, r, err)
			}
			continue
		}
		if err != nil || r.Key != tt.want || r.ID != tt.id || r.Tenant != tt.tenant {
			t.Errorf("%s of %q: %+v, %v, want %s", tt.id, tt.tenant, r, err, tt.want)
		}
		if n := b.trips.Load() - before; n != 1 {
			t.Errorf("%d round trips", n)
		}
	}
}

func TestFindAll(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.reserveOf("acme", "three", false)
	b.reserveOf("globex", "three", false)
	b.reserveOf("", "three", false)
	b.reserveOf("acme", "old", true)
	b.reserveOf("acme", "mixed", true)
	b.reserveOf("acme", "new", false)
	b.rdb.Copy(t.Context(), "rohrpost:job:{mixed}", "rohrpost:job:{mixed},acme", 0, false) // a worker of both versions
	for id, want := range map[string][]payload.Key{
		"three":      {"three", "three,acme", "three,globex"},
		"old":        {"old"},
		"new":        {"new,acme"},
		"mixed":      {"mixed,acme"},
		"unknown":    nil,
		"three,acme": nil,
		"":           nil,
	} {
		before := b.trips.Load()
		records, err := b.FindAll(t.Context(), id)
		var got []payload.Key
		for _, r := range records {
			got = append(got, r.Key)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", id, err, diff)
		}
		if n := b.trips.Load() - before; n > 2 {
			t.Errorf("%q: %d round trips", id, n)
		}
	}
}

// With many tenants they are asked for page by page, and each is.
func TestFindAmongManyTenants(t *testing.T) {
	t.Parallel()
	b := open(t)
	const tenants = 3000
	var batch lua.Batch
	for i := range tenants {
		j := b.job("a", 1)
		j.Tenant = "tenant " + strconv.Itoa(i)
		b.Reserve(&batch, j, ledger.Opening{Nonce: "nonce"})
	}
	if err := batch.Exec(t.Context(), b.rdb); err != nil {
		t.Fatal(err)
	}
	b.reserveOf("", "a", false)
	records, err := b.FindAll(t.Context(), "a")
	if err != nil || len(records) != tenants+1 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// A tenant's id that an older version has used stands for the same tenant's job, and
// for nobody else's.
func TestReserveAfterAnOlderVersion(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.reserveOf("acme", "a", true)
	before := b.rdb.HGetAll(t.Context(), "rohrpost:job:{a}").Val()

	again := b.job("a", 1)
	again.MessageID = "<a.0123456789@acme.example>"
	receipt, err := b.reserve(again, "two")
	if want := (rohrpost.Receipt{ID: "a", MessageID: "<a@acme.example>", Duplicate: true}); err != nil || receipt != want {
		t.Errorf("%+v, %v", receipt, err)
	}
	if !again.Bare || again.Key() != "a" {
		t.Errorf("the job's key is %q, its record is that of an older version", again.Key())
	}

	other := b.job("a", 1)
	other.Tenant = "globex"
	receipt, err = b.reserve(other, "three")
	if err != nil || receipt.Duplicate || other.Bare {
		t.Errorf("another tenant: %+v, %v, bare %t", receipt, err, other.Bare)
	}

	platform := b.job("a", 1)
	platform.Tenant = ""
	if _, err = b.reserve(platform, "four"); !errors.Is(err, ledger.ErrTaken) {
		t.Errorf("the platform, whose key it is: %v", err)
	}
	if diff := cmp.Diff(before, b.rdb.HGetAll(t.Context(), "rohrpost:job:{a}").Val()); diff != "" {
		t.Error(diff)
	}

	// Once there is a record of its own, that one counts.
	b.reserveOf("acme", "b", false)
	b.reserveOf("acme", "b", true)
	own := b.job("b", 1)
	if receipt, err = b.reserve(own, "five"); err != nil || !receipt.Duplicate || own.Bare {
		t.Errorf("both: %+v, %v, bare %t", receipt, err, own.Bare)
	}
}

// The set of tenants costs no round trip, and each process writes it once an hour.
func TestTenantsAreRegistered(t *testing.T) {
	t.Parallel()
	b := open(t)
	registered := func() []string {
		names := b.rdb.SMembers(t.Context(), "rohrpost:tenants").Val()
		slices.Sort(names)
		return names
	}
	b.reserveOf("", "b", false) // Redis knows the script now
	before := b.trips.Load()
	b.reserveOf("acme", "a", false)
	if n := b.trips.Load() - before; n != 1 {
		t.Errorf("%d round trips", n)
	}
	b.reserveOf("Müller & Söhne", "c", false)
	if diff := cmp.Diff([]string{"Müller & Söhne", "acme"}, registered()); diff != "" {
		t.Error(diff)
	}
	b.rdb.Del(t.Context(), "rohrpost:tenants")
	b.reserveOf("acme", "d", false)
	if got := registered(); len(got) != 0 {
		t.Errorf("written again at once: %q", got)
	}
	b.now = b.now.Add(time.Hour)
	b.reserveOf("acme", "e", false)
	if diff := cmp.Diff([]string{"acme"}, registered()); diff != "" {
		t.Error(diff)
	}
}

// A tenant counts as written only when Redis has said so.
func TestTenantIsRegisteredAfterAnOutage(t *testing.T) {
	t.Parallel()
	b := open(t)
	var lost lua.Batch
	b.Reserve(&lost, b.job("a", 1), ledger.Opening{Nonce: "nonce"}) // and never executed
	b.reserveOf("acme", "a", false)
	if !b.rdb.SIsMember(t.Context(), "rohrpost:tenants", "acme").Val() {
		t.Error("the tenant is not there")
	}
}

// Of many tenants a process forgets what it has written, rather than to grow.
func TestRegisterIsBounded(t *testing.T) {
	t.Parallel()
	b := open(t)
	const tenants = 10_001
	for begin := 0; begin < tenants; begin += 1000 {
		var batch lua.Batch
		var opened []ledger.Reservation
		for i := begin; i < min(begin+1000, tenants); i++ {
			j := b.job("x"+strconv.Itoa(i), 1)
			j.Tenant = fmt.Sprint(i)
			opened = append(opened, b.Reserve(&batch, j, ledger.Opening{Nonce: "nonce"}))
		}
		if err := batch.Exec(t.Context(), b.rdb); err != nil {
			t.Fatal(err)
		}
		for _, r := range opened {
			if _, err := r.Receipt(); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.rdb.Del(t.Context(), "rohrpost:tenants")
	b.reserveOf("0", "first", false)
	b.reserveOf("10000", "last", false)
	if diff := cmp.Diff([]string{"0"}, b.rdb.SMembers(t.Context(), "rohrpost:tenants").Val()); diff != "" {
		t.Error(diff)
	}
}

// What a record says of its Message-ID is short, and reads as it was.
func TestShortMessageID(t *testing.T) {
	t.Parallel()
	b := open(t)
	for messageID, want := range map[string]string{
		"<a@acme.example>":            "@acme.example>",
		"<a.0123456789@acme.example>": ".0123456789@acme.example>",
		"<ab12@acme.example>":         "<ab12@acme.example>",
		"<0123@acme.example>":         "<0123@acme.example>",
	} {
		b.rdb.FlushDB(t.Context())
		j := b.job("a", 1)
		j.MessageID = messageID
		receipt, err := b.reserve(j, "nonce")
		if err != nil || receipt.MessageID != messageID || b.load("a").MessageID != messageID {
			t.Errorf("%s: %+v, %v", messageID, receipt, err)
		}
		if got := b.rdb.HGet(t.Context(), "rohrpost:job:{a},acme", "m").Val(); got != want {
			t.Errorf("%s is kept as %s", messageID, got)
		}
	}
}

package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// A bound client sends for its tenant, whatever the message leaves out, and for nobody
// else.
func TestBoundSend(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	for _, bound := range []string{"acme", ""} {
		mine := client.ForTenant(bound)
		for _, tenant := range []string{"", "acme", "globex"} {
			m := mail()
			m.Tenant = tenant
			receipt, err := mine.Send(t.Context(), m)
			var problem *rohrpost.FieldError
			switch {
			case tenant != "" && tenant != bound:
				if !errors.As(err, &problem) || problem.Field != "tenant" || receipt != (rohrpost.Receipt{}) {
					t.Errorf("bound to %q, of %q: %+v, %v", bound, tenant, receipt, err)
				}
			case err != nil:
				t.Errorf("bound to %q, of %q: %v", bound, tenant, err)
			default:
				if st := status(t, client, receipt.ID); st.Tenant != bound {
					t.Errorf("bound to %q, of %q: it is %q's", bound, tenant, st.Tenant)
				}
			}
			results, _ := mine.SendBatch(t.Context(), []rohrpost.Message{m})
			if (results[0].Err == nil) != (err == nil) {
				t.Errorf("bound to %q, of %q, in a batch: %+v", bound, tenant, results[0])
			}
		}
	}
	if got := len(tasks(t, rdb)); got != 6 {
		t.Errorf("%d tasks", got)
	}
	m := mail()
	m.Tenant, m.To = "globex", nil
	_, err := client.ForTenant("acme").Send(t.Context(), m)
	if want := `to: no recipients; tenant: this client sends for tenant "acme" only`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// To a bound client, what others have sent is not there: no verdict on it, no change,
// and no other answer than for an id that nobody has used.
func TestBoundClientKnowsItsOwn(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	s.settled("failed", rohrpost.Failed, "archived", failed, failed, failed)
	s.settled("waits", rohrpost.Deferred, "retry", deferred, deferred, deferred)
	dump := func() string {
		return fmt.Sprint(tasks(t, s.rdb), s.rdb.HGetAll(t.Context(), record("failed")), s.rdb.HGetAll(t.Context(), record("waits")))
	}
	before := dump()
	for _, tenant := range []string{"globex", "", "ACME", "acme ", "acme,", "*"} {
		c := s.ForTenant(tenant)
		for _, id := range []string{"failed", "waits", "failed,acme", "waits,acme", "unknown"} {
			_, err := c.Status(t.Context(), id)
			errs := []error{
				err, c.Cancel(t.Context(), id), c.Retry(t.Context(), id), c.Reschedule(t.Context(), id, time.Now().Add(time.Hour)),
			}
			for i, err := range errs {
				if want := fmt.Sprintf("job %q: %v", id, producer.ErrNotFound); !errors.Is(err, producer.ErrNotFound) || err.Error() != want {
					t.Errorf("%q does %d to %s: %v", tenant, i, id, err)
				}
			}
		}
		for _, f := range []producer.RetryFilter{{Tenant: "acme"}, {Account: "tenant:acme"}, {Category: "mailbox_full"}} {
			if ids, err := c.RetryAll(t.Context(), f); len(ids) != 0 || err != nil {
				t.Errorf("%q retries %+v: %q, %v", tenant, f, ids, err)
			}
		}
	}
	if diff := cmp.Diff(before, dump()); diff != "" {
		t.Error(diff)
	}
	acme := s.ForTenant("globex").ForTenant("acme") // the last word counts
	if ids, err := acme.RetryAll(t.Context(), producer.RetryFilter{}); err != nil || !slices.Equal(ids, []string{"failed"}) {
		t.Errorf("all of its own: %q, %v", ids, err)
	}
	s.must(acme.Reschedule(t.Context(), "waits", time.Now().Add(time.Hour)))
	s.must(acme.Cancel(t.Context(), "waits"))
	if err := acme.Close(); err != nil {
		t.Error(err)
	}
	if st := status(t, acme, "waits"); st.State != rohrpost.Canceled {
		t.Errorf("after its Close: %+v", st)
	}
	if _, err := s.ForTenant("").RetryAll(t.Context(), producer.RetryFilter{}); err == nil {
		t.Error("all of the platform's would be sent again")
	}
}

// The client that Open makes finds a mail of any tenant by its id, and asks whose is
// meant where there are several.
func TestOperator(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	for tenant, ids := range map[string][]string{"acme": {"one", "two"}, "globex": {"two", "three"}, "": {"three", "four"}} {
		for _, id := range ids {
			mustSend(t, client.ForTenant(tenant), message(tenant, id))
		}
	}
	for id, want := range map[string]string{"one": "acme", "four": ""} {
		if st := status(t, client, id); st.Tenant != want || st.ID != id {
			t.Errorf("%s: %+v", id, st)
		}
		for what, err := range map[string]error{
			"reschedule": client.Reschedule(t.Context(), id, time.Now().Add(time.Hour)), "retry": client.Retry(t.Context(), id),
			"cancel": client.Cancel(t.Context(), id),
		} {
			if err != nil && !errors.Is(err, producer.ErrFinal) && !errors.Is(err, producer.ErrNothingToRetry) { // in any order
				t.Errorf("%s %s: %v", what, id, err)
			}
		}
	}
	before := tasks(t, rdb)
	for id, want := range map[string][]string{"two": {"acme", "globex"}, "three": {"", "globex"}} {
		_, err := client.Status(t.Context(), id)
		for i, err := range []error{
			err, client.Cancel(t.Context(), id), client.Retry(t.Context(), id), client.Reschedule(t.Context(), id, time.Now().Add(time.Hour)),
		} {
			var several *producer.AmbiguousError
			if !errors.As(err, &several) || !errors.Is(err, producer.ErrAmbiguous) || !slices.Equal(several.Tenants, want) {
				t.Errorf("%d to %s: %v", i, id, err)
			}
			oneLine(t, err)
		}
	}
	if diff := cmp.Diff(before, tasks(t, rdb)); diff != "" {
		t.Error(diff)
	}
	rdb.Del(t.Context(), "rohrpost:tenants")
	if st := status(t, client.ForTenant("acme"), "two"); st.Tenant != "acme" {
		t.Errorf("without the set of tenants: %+v", st)
	}
}

func message(tenant, id string) rohrpost.Message {
	m := mail()
	m.Tenant, m.ID = tenant, id
	return m
}

func TestAmbiguousError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tenants []string
		want    string
	}{
		{[]string{"", "acme"}, "several tenants have a mail of this id (the platform, acme): name the tenant"},
		{strings.Split("abcdefghijkl", ""), "several tenants have a mail of this id (a, b, c, d, e, f, g, h, i, j, …): name the tenant"},
	} {
		if got := (&producer.AmbiguousError{Tenants: tt.tenants}).Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// RetryAll sends each mail that matches under its own key.
func TestRetryAllWithTheSameID(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	s.settled("a", rohrpost.Failed, "archived", failed, failed, failed)
	mustSend(t, s.Client, message("globex", "a"))
	archiveTask(t, s.rdb, "default", "a,globex")
	s.rdb.HSet(t.Context(), "rohrpost:job:{a},globex", "s", "failed", "ac", "tenant:acme")
	dry, err := s.RetryAll(t.Context(), producer.RetryFilter{Account: "tenant:acme", DryRun: true})
	if err != nil || !slices.Equal(dry, []string{"a", "a"}) {
		t.Errorf("%q, %v", dry, err)
	}
	ids, err := s.RetryAll(t.Context(), producer.RetryFilter{Tenant: "globex"})
	if err != nil || !slices.Equal(ids, []string{"a"}) {
		t.Errorf("%q, %v", ids, err)
	}
	if diff := cmp.Diff([]string{"default/archived/a,acme", "default/pending/a,globex"}, tasks(t, s.rdb)); diff != "" {
		t.Error(diff)
	}
}

// A Redis that has lost its data has lost the set of tenants, too: who sends afterwards
// finds the mail all the same.
func TestStatusAfterLostData(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	client := newStage(t, rdb).Client
	first := message("", "")
	first.Tenant = "acme"
	mustSend(t, client, first)
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	r := mustSend(t, client, first)
	if st := status(t, client, r.ID); st.Tenant != "acme" {
		t.Errorf("%+v", st)
	}
}

// Binding costs no round trip, and neither does the set of tenants.
func TestBoundRoundTrips(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	client := newStage(t, rdb).ForTenant("acme")
	for range 2 { // then the client knows how much waits for the tenant, and Redis all scripts
		mustSend(t, client, message("", ""))
	}
	seen := &counter{}
	rdb.AddHook(seen)
	trips := func(do func()) int64 {
		before := seen.commands.Load() + seen.pipelines.Load()
		do()
		return seen.commands.Load() + seen.pipelines.Load() - before
	}
	for what, tt := range map[string]struct {
		do   func()
		want int64
	}{
		"fresh id": {func() { mustSend(t, client, message("", "")) }, 1},
		"own id":   {func() { mustSend(t, client, message("", "own")) }, 2},
	} {
		if got := trips(tt.do); got != tt.want {
			t.Errorf("%s: %d round trips, want %d", what, got, tt.want)
		}
	}
	if got := trips(func() { status(t, client, "own") }); got != 1 {
		t.Errorf("status: %d round trips", got)
	}
	if !rdb.SIsMember(t.Context(), "rohrpost:tenants", "acme").Val() {
		t.Error("the tenant is not registered")
	}
}

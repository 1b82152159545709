package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// counted is what is counted for a tenant.
func counted(t *testing.T, rdb redis.UniversalClient, tenant string) quota.Amount {
	t.Helper()
	c, err := quota.New(quota.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all[tenant]
}

// wantQuota checks that a quota refused, and that the line names it with a remedy.
func wantQuota(t *testing.T, err error, name string) *producer.QuotaError {
	t.Helper()
	var refused *producer.QuotaError
	if !errors.Is(err, producer.ErrQuota) || !errors.As(err, &refused) || refused.Quota != name {
		t.Fatalf("%v, want a refusal of %s", err, name)
	}
	oneLine(t, err)
	if text := err.Error(); !strings.Contains(text, "send it again") || name != producer.QuotaMemory && !strings.Contains(text, name) {
		t.Errorf("no remedy, or no setting: %s", text)
	}
	return refused
}

// Up to the limit and no mail further, with ids of the application's own and without,
// one by one and in batches.
func TestQuotaOfMails(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		for _, batch := range []int{1, 7} {
			t.Run(fmt.Sprintf("own ids %v, %d at a time", own, batch), func(t *testing.T) {
				t.Parallel()
				client, rdb := newClient(t, producer.Options{WaitingMailsPerTenant: 20})
				accepted, refused := 0, 0
				for i := 0; i < 28; i += batch {
					messages := make([]rohrpost.Message, batch)
					for k := range messages {
						if messages[k] = mail(); own {
							messages[k].ID = fmt.Sprintf("id-%d", i+k)
						}
					}
					results, _ := client.SendBatch(t.Context(), messages)
					for _, r := range results {
						if r.Err == nil {
							accepted++
							continue
						}
						refused++
						if e := wantQuota(t, r.Err, producer.QuotaMails); e.Tenant != "acme" || e.Limit != 20 || e.Current != 20 {
							t.Errorf("%+v", e)
						}
					}
				}
				if n := len(tasks(t, rdb)); accepted != 20 || refused != 8 || n != 20 || counted(t, rdb, "acme").Mails != 20 {
					t.Errorf("%d accepted, %d refused, %d tasks, %+v counted", accepted, refused, n, counted(t, rdb, "acme"))
				}
				if records := rdb.Keys(t.Context(), "rohrpost:job:*").Val(); len(records) != 20 {
					t.Errorf("%d records", len(records))
				}
				other := mail()
				other.Tenant = "other"
				mustSend(t, client, other)
			})
		}
	}
}

func TestQuotaOfBytes(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{WaitingBytesPerTenant: 1 << 20})
	m := mail()
	m.Attachments = []rohrpost.Attachment{{Name: "a", Content: make([]byte, 400<<10)}}
	for range 2 {
		mustSend(t, client, m)
	}
	_, err := client.Send(t.Context(), m)
	if e := wantQuota(t, err, producer.QuotaBytes); e.Limit != 1<<20 || e.Current < 800<<10 {
		t.Errorf("%+v", e)
	}
	mustSend(t, client, mail()) // a small one still fits
	if w := counted(t, rdb, "acme"); w.Mails != 3 {
		t.Errorf("%+v counted", w)
	}
}

// The same id again counts once, and is answered with its receipt although the tenant's
// room is used up.
func TestQuotaOfDuplicates(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{WaitingMailsPerTenant: 2})
	for i := range 6 {
		if r := mustSend(t, client, mail(), producer.WithID("a")); r.Duplicate != (i > 0) {
			t.Errorf("receipt %+v", r)
		}
	}
	mustSend(t, client, mail(), producer.WithID("b"))
	if r := mustSend(t, client, mail(), producer.WithID("a")); !r.Duplicate {
		t.Errorf("receipt %+v", r)
	}
	if w := counted(t, rdb, "acme"); w.Mails != 2 {
		t.Errorf("%+v counted", w)
	}
}

// Cancel gives back, and Retry of what has ended counts again.
func TestQuotaIsGivenBack(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{WaitingMailsPerTenant: 1})
	mustSend(t, client, mail(), producer.WithID("a"))
	before := counted(t, rdb, "acme")
	_, err := client.Send(t.Context(), mail())
	_ = wantQuota(t, err, producer.QuotaMails)
	if err := client.Cancel(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if w := counted(t, rdb, "acme"); w != (quota.Amount{}) {
		t.Errorf("%+v counted after Cancel, of %+v", w, before)
	}
	mustSend(t, client, mail())
}

func TestNoQuota(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{WaitingMailsPerTenant: -1, WaitingBytesPerTenant: -1, NotBeforeMax: -1, ExpiresMax: -1})
	m := mail()
	m.NotBefore, m.Expires = time.Now().AddDate(50, 0, 0), time.Now().AddDate(60, 0, 0)
	mustSend(t, client, m)
	if w := counted(t, rdb, "acme"); w.Mails != 1 {
		t.Errorf("%+v counted: other clients have limits", w)
	}
}

// Far below the limits a mail costs the round trips that it did, once something is known
// of its tenant.
func TestQuotaCostsNoRoundTrip(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	trips := &counter{}
	for range 2 { // the second one loads its script
		mustSend(t, client, mail())
	}
	rdb.AddHook(trips)
	const n = 5
	for range n {
		mustSend(t, client, mail())
	}
	if got := trips.pipelines.Load() + trips.commands.Load(); got != n {
		t.Errorf("%d round trips for %d mails", got, n)
	}
}

func TestTimesTooFarAhead(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t, producer.Options{NotBeforeMax: 48 * time.Hour, ExpiresMax: 96 * time.Hour})
	now := time.Now()
	for field, change := range map[string]func(*rohrpost.Message){
		"not_before": func(m *rohrpost.Message) { m.NotBefore = now.Add(49 * time.Hour) },
		"expires":    func(m *rohrpost.Message) { m.Expires = now.Add(97 * time.Hour) },
	} {
		m := mail()
		change(&m)
		_, err := client.Send(t.Context(), m)
		var refused *rohrpost.FieldError
		if !errors.As(err, &refused) || refused.Field != field || !strings.Contains(refused.Problem, "limits."+field+"_max") {
			t.Errorf("%s: %v", field, err)
		}
	}
	m := mail()
	m.NotBefore, m.Expires = now.Add(47*time.Hour), now.Add(95*time.Hour)
	receipt := mustSend(t, client, m)
	if err := client.Reschedule(t.Context(), receipt.ID, now.Add(49*time.Hour)); !errors.As(err, new(rohrpost.FieldErrors)) {
		t.Errorf("reschedule: %v", err)
	}
}

// Producers leave the last tenth of Redis' memory to the workers; what Redis refuses by
// itself leaves no record, no task and no count.
func TestFullRedis(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Args("--maxmemory", "20mb")).Client(t)
	client, err := producer.New(rdb, producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, client, mail(), producer.WithID("first"))
	m := mail()
	m.Attachments = []rohrpost.Attachment{{Name: "a", Content: make([]byte, 10<<20)}}
	_, err = client.Send(t.Context(), m)
	if e := wantQuota(t, err, producer.QuotaMemory); !errors.Is(err, producer.ErrRedisFull) || e.Limit != 20<<20 {
		t.Errorf("%+v", e)
	}
	for _, blind := range []string{"", "-info"} { // without INFO only Redis itself refuses
		if blind != "" {
			rdb.Do(t.Context(), "ACL", "SETUSER", "default", blind)
			rdb.ConfigSet(t.Context(), "maxmemory", "1mb")
		}
		again, err := producer.New(rdb, producer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"", "own"} {
			_, err := again.Send(t.Context(), m, producer.WithID(id))
			if !errors.Is(err, producer.ErrRedisFull) {
				t.Errorf("%q, id %q: %v", blind, id, err)
			}
		}
	}
	if got := tasks(t, rdb); len(got) != 1 {
		t.Errorf("tasks %q", got)
	}
	if records := rdb.Keys(t.Context(), "rohrpost:job:*").Val(); len(records) != 1 || counted(t, rdb, "acme").Mails != 1 {
		t.Errorf("records %q, %+v counted", records, counted(t, rdb, "acme"))
	}
}

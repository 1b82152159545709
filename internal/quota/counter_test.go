package quota_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// book is a counter with its clock.
type book struct {
	*quota.Counter
	t   *testing.T
	rdb redis.UniversalClient
	now time.Time
}

func open(t *testing.T, mails, bytes int64) *book {
	t.Helper()
	b := &book{t: t, rdb: redistest.Start(t).Client(t), now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	var err error
	b.Counter, err = quota.New(quota.Options{
		Redis: b.rdb, Limits: quota.Amount{Mails: mails, Bytes: bytes}, Now: func() time.Time { return b.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *book) ask(tenant string, weights ...int64) string {
	b.t.Helper()
	var batch lua.Batch
	answer := b.Ask(&batch, tenant, weights)
	if err := batch.Exec(b.t.Context(), b.rdb); err != nil {
		b.t.Fatal(err)
	}
	verdicts, _, err := answer.Verdicts()
	if err != nil {
		b.t.Fatal(err)
	}
	var out strings.Builder
	for _, v := range verdicts {
		out.WriteByte(byte(v))
	}
	return out.String()
}

func (b *book) add(tenant string, a quota.Amount) {
	b.t.Helper()
	var batch lua.Batch
	addition := b.Add(&batch, tenant, a)
	if err := batch.Exec(b.t.Context(), b.rdb); err != nil {
		b.t.Fatal(err)
	}
	if err := addition.Learn(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) give(tenant string, a quota.Amount) {
	b.t.Helper()
	if err := b.AddAll(b.t.Context(), map[string]quota.Amount{tenant: {Mails: -a.Mails, Bytes: -a.Bytes}}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) waiting() map[string]quota.Amount {
	b.t.Helper()
	w, err := b.Waiting(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

func TestAsk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		mails, bytes int64
		weights      []int64
		want         string
		waiting      quota.Amount
	}{
		{"all", 3, 100, []int64{10, 20, 30}, "...", quota.Amount{Mails: 3, Bytes: 60}},
		{"one too many", 2, 100, []int64{10, 20, 30}, "..m", quota.Amount{Mails: 2, Bytes: 30}},
		{"exactly the bytes", 9, 60, []int64{10, 20, 30}, "...", quota.Amount{Mails: 3, Bytes: 60}},
		{"a byte too many, and a smaller one after it", 9, 59, []int64{10, 20, 30, 5}, "..b.", quota.Amount{Mails: 3, Bytes: 35}},
		{"no limits", 0, 0, []int64{1 << 40, 1}, "..", quota.Amount{Mails: 2, Bytes: 1<<40 + 1}},
		{"nothing fits", 9, 5, []int64{10, 20}, "bb", quota.Amount{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, tt.mails, tt.bytes)
			if got := b.ask("", tt.weights...); got != tt.want {
				t.Errorf("verdicts %s, want %s", got, tt.want)
			}
			if got := b.waiting()[""]; got != tt.waiting {
				t.Errorf("%+v wait, want %+v", got, tt.waiting)
			}
		})
	}
}

func TestGive(t *testing.T) {
	t.Parallel()
	b := open(t, 10, 100)
	b.ask("acme", 10, 20)
	b.ask("other", 7)
	b.give("acme", quota.Amount{Mails: 1, Bytes: 10})
	want := map[string]quota.Amount{"acme": {Mails: 1, Bytes: 20}, "other": {Mails: 1, Bytes: 7}}
	if diff := cmp.Diff(want, b.waiting()); diff != "" {
		t.Error(diff)
	}
	b.give("acme", quota.Amount{Mails: 5, Bytes: 1}) // a reply was lost: more than there is
	b.give("other", quota.Amount{Mails: 1, Bytes: 7})
	if n := b.rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys are left of tenants for whom nothing waits: %+v", n, b.waiting())
	}
}

func TestAmple(t *testing.T) {
	t.Parallel()
	b := open(t, 100, 1000)
	one := quota.Amount{Mails: 1, Bytes: 10}
	if b.Ample("acme", one) {
		t.Error("a tenant of whom nothing is known has ample room")
	}
	b.ask("acme", 10)
	if !b.Ample("acme", one) || b.Ample("other", one) {
		t.Error("one mail of a hundred waits, and there is no ample room")
	}
	for _, a := range []quota.Amount{{Mails: 90}, {Bytes: 891}} {
		if b.Ample("acme", a) {
			t.Errorf("%+v more is ample room", a)
		}
	}
	b.add("acme", quota.Amount{Mails: 89, Bytes: 1})
	if b.Ample("acme", one) || !b.Ample("acme", quota.Amount{}) {
		t.Error("ample room does not end at nine tenths")
	}
	b.give("acme", quota.Amount{Mails: 50})
	b.now = b.now.Add(59 * time.Second)
	if !b.Ample("acme", one) {
		t.Error("forgotten after 59 s")
	}
	b.now = b.now.Add(time.Second)
	if b.Ample("acme", one) {
		t.Error("still believed after a minute")
	}
	if !open(t, 0, 0).Ample("acme", quota.Amount{Mails: 1 << 50}) {
		t.Error("no limits are no ample room")
	}
}

// Of however many tenants there are, so many are remembered.
func TestViewsAreBounded(t *testing.T) {
	t.Parallel()
	b := open(t, 100, 1000)
	names := func(i int) string { return strings.Repeat("x", i%100) + string(rune('a'+i/100)) }
	var batch lua.Batch
	var additions []quota.Addition
	for i := range 10_001 {
		additions = append(additions, b.Add(&batch, names(i), quota.Amount{Mails: 1}))
	}
	if err := batch.Exec(t.Context(), b.rdb); err != nil {
		t.Fatal(err)
	}
	for _, a := range additions {
		if err := a.Learn(); err != nil {
			t.Fatal(err)
		}
	}
	if b.Ample(names(0), quota.Amount{}) || !b.Ample(names(10_000), quota.Amount{}) {
		t.Error("the first of 10,001 tenants is remembered, or the last is not")
	}
}

func TestReturns(t *testing.T) {
	t.Parallel()
	b := open(t, 0, 0)
	b.add("acme", quota.Amount{Mails: 1000, Bytes: 5000})
	r := quota.NewReturns(b.Counter)
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			for range 50 {
				r.Change("acme", -1, -5)
			}
		})
	}
	group.Wait()
	for range 2 {
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := b.waiting()["acme"], (quota.Amount{Mails: 500, Bytes: 2500}); got != want {
		t.Errorf("%+v wait, want %+v", got, want)
	}
}

// What Redis did not take is given back when it is there again.
func TestReturnsSurviveAnOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	c, err := quota.New(quota.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	r := quota.NewReturns(c)
	if err := c.AddAll(t.Context(), map[string]quota.Amount{"acme": {Mails: 3, Bytes: 30}}); err != nil {
		t.Fatal(err)
	}
	rdb.SlaveOf(t.Context(), "127.0.0.1", "1") // read-only
	r.Change("acme", -1, -10)
	if err := r.Flush(t.Context()); err == nil {
		t.Fatal("a read-only Redis took it")
	}
	rdb.SlaveOf(t.Context(), "no", "one")
	r.Change("acme", -1, -10)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := c.Waiting(t.Context())
	if want := (quota.Amount{Mails: 1, Bytes: 10}); err != nil || w["acme"] != want {
		t.Errorf("%+v, %v, want %+v", w, err, want)
	}
}

// A Redis whose memory is full takes no more, and lets go of what has ended.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	b := open(t, 0, 0)
	b.add("acme", quota.Amount{Mails: 2, Bytes: 20})
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1mb")
	var batch lua.Batch
	addition, answer := b.Add(&batch, "acme", quota.Amount{Mails: 1}), b.Ask(&batch, "acme", []int64{1})
	if err := batch.Exec(t.Context(), b.rdb); err != nil {
		t.Fatal(err)
	}
	if err := addition.Learn(); !redis.HasErrorPrefix(err, "OOM") {
		t.Errorf("add: %v", err)
	}
	if _, _, err := answer.Verdicts(); !redis.HasErrorPrefix(err, "OOM") {
		t.Errorf("ask: %v", err)
	}
	b.give("acme", quota.Amount{Mails: 1, Bytes: 5})
	if got, want := b.waiting()["acme"], (quota.Amount{Mails: 1, Bytes: 15}); got != want {
		t.Errorf("%+v wait, want %+v", got, want)
	}
}

func TestWeight(t *testing.T) {
	t.Parallel()
	job := func(change func(*payload.Job)) int64 {
		j := &payload.Job{}
		change(j)
		return quota.Weight(j)
	}
	empty := job(func(*payload.Job) {})
	for name, tt := range map[string]struct {
		change func(*payload.Job)
		want   int64
	}{
		"text":       {func(j *payload.Job) { j.Text = "12345" }, 5},
		"html":       {func(j *payload.Job) { j.HTML = "12345" }, 5},
		"attachment": {func(j *payload.Job) { j.Attachments = []rohrpost.Attachment{{Content: make([]byte, 1<<20)}} }, 1 << 20},
		"its name":   {func(j *payload.Job) { j.Files = []payload.File{{Name: "a.pdf", ContentType: "a/b", Size: 1 << 20}} }, 8},
		"headers":    {func(j *payload.Job) { j.Headers = []rohrpost.Header{{Name: "X-A", Value: "12"}} }, 5},
		"recipients": {func(j *payload.Job) { j.Bcc = []rohrpost.Address{{Address: "a@b"}} }, 6},
		"metadata":   {func(j *payload.Job) { j.Metadata = map[string]string{"k": "v"} }, 4},
	} {
		if got := job(tt.change) - empty; got != tt.want {
			t.Errorf("%s counts %d bytes, want %d", name, got, tt.want)
		}
	}
}

// TestOf tells what waits for one tenant, and nothing of one for whom nothing does.
func TestOf(t *testing.T) {
	t.Parallel()
	b := open(t, 0, 0)
	b.add("acme", quota.Amount{Mails: 2, Bytes: 20})
	for tenant, want := range map[string]quota.Amount{"acme": {Mails: 2, Bytes: 20}, "globex": {}} {
		if got, err := b.Of(t.Context(), tenant); err != nil || got != want {
			t.Errorf("%s: %+v, %v", tenant, got, err)
		}
	}
}

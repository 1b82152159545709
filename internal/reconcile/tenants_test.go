package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// Mails of several tenants with one id are several mails: what is wrong with one of them
// is said and mended of that one.
func TestTenantsWithTheSameID(t *testing.T) {
	t.Parallel()
	p := newPost(t, redistest.Start(t).Client(t))
	for _, tenant := range []string{"acme", "globex", "", "Müller & Söhne"} {
		p.send("a", func(m *rohrpost.Message) { m.Tenant = tenant })
	}
	i := p.reconciler()
	if list, sum := p.check(i); len(list) != 0 || sum.OnTheWay != 4 || sum.Tasks != 4 {
		t.Errorf("%+v of %+v", list, sum)
	}
	umlaut := payload.KeyOf("Müller & Söhne", "a")
	p.do("LREM", key("pending"), 0, "a,globex")                            // orphaned
	p.do("DEL", key("t:"+string(umlaut)))                                  // lost
	p.do("LREM", key("pending"), 0, string(umlaut))                        //
	p.do("ZADD", key("retry"), time.Now().Add(time.Hour).Unix(), "b,nemo") // phantom, without task and record
	p.do("PERSIST", "rohrpost:job:{a}")                                    // endless
	p.later = time.Hour
	list, _ := p.check(p.reconciler(func(o *reconcile.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Hour) }
	}))
	var got []string
	for _, f := range list {
		got = append(got, string(f.Key)+" = "+f.JobID+" of "+f.Tenant+": "+string(f.Kind))
	}
	slices.Sort(got)
	want := []string{
		"a = a of : endless_record", "a,M~C3~BCller~20~26~20S~C3~B6hne = a of Müller & Söhne: lost", "a,globex = a of globex: orphaned",
		"b,nemo = b of nemo: phantom",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, f := range list {
		if f.Repairable {
			if err := i.Repair(t.Context(), f); err != nil {
				t.Error(err)
			}
		}
	}
	for key, want := range map[string]string{"a,globex": "pending", "a,acme": "pending", "a": "pending"} {
		if got := p.rdb.HGet(t.Context(), "asynq:{default}:t:"+key, "state").Val(); got != want {
			t.Errorf("%s is %s", key, got)
		}
	}
	if n := p.rdb.LLen(t.Context(), key("pending")).Val(); n != 3 {
		t.Errorf("%d pending", n)
	}
	if n := p.rdb.ZCard(t.Context(), key("retry")).Val(); n != 0 {
		t.Error("the phantom is there")
	}
	if left := p.rdb.TTL(t.Context(), "rohrpost:job:{a}").Val(); left <= 0 {
		t.Error("the record has no end")
	}
}

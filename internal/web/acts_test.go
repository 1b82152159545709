package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer"
)

// counter acts on mails as the program does.
type counter struct{ *producer.Client }

func (d counter) Cancel(ctx context.Context, tenant, id string) error {
	return d.ForTenant(tenant).Cancel(ctx, id)
}

func (d counter) Retry(ctx context.Context, tenant, id string) error {
	return d.ForTenant(tenant).Retry(ctx, id)
}

func (d counter) Reschedule(ctx context.Context, tenant, id string, at time.Time) error {
	return d.ForTenant(tenant).Reschedule(ctx, id, at)
}

// mail enqueues a mail and brings its task to one of asynq's sets.
func (s *site) mail(t *testing.T, id, set string) {
	t.Helper()
	rdb := s.redis.Client(t)
	m := rohrpost.Message{ID: id, Tenant: "acme", Text: "canary", To: []rohrpost.Address{{Address: "canary@c.example"}}}
	if set == "scheduled" {
		m.NotBefore = time.Now().Add(time.Hour)
	}
	if _, err := s.mails.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if set == "pending" || set == "scheduled" {
		return
	}
	const q = "asynq:{default}:"
	key := string(payload.KeyOf("acme", id))
	_, err := rdb.TxPipelined(t.Context(), func(tx redis.Pipeliner) error {
		tx.LRem(t.Context(), q+"pending", 0, key)
		tx.ZAdd(t.Context(), q+set, redis.Z{Score: float64(time.Now().Add(time.Hour).Unix()), Member: key})
		tx.HSet(t.Context(), q+"t:"+key, "state", set)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]rohrpost.State{"retry": rohrpost.Deferred, "archived": rohrpost.Failed}[set]
	book, err := ledger.New(ledger.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	job := &payload.Job{EnqueuedAt: time.Now()}
	job.ID, job.Tenant, job.To = id, "acme", m.To
	if err := book.Settle(t.Context(), job, ledger.Settlement{Token: "t", State: state, Counts: true}); err != nil {
		t.Fatal(err)
	}
}

// state is what the ledger says of a mail, and where its task is.
func (s *site) state(t *testing.T, id string) string {
	t.Helper()
	st, err := s.mails.Status(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	info, err := asynq.NewInspectorFromRedisClient(s.redis.Client(t)).GetTaskInfo("default", string(payload.KeyOf("acme", id)))
	if err != nil {
		return string(st.State) + ", no task"
	}
	return string(st.State) + ", " + info.State.String()
}

func (s *site) history(t *testing.T, source audit.Source) []audit.Record {
	t.Helper()
	log, err := audit.New(audit.Options{Redis: s.redis.Client(t)})
	if err != nil {
		t.Fatal(err)
	}
	list, err := log.Latest(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if time.Since(list[i].Time) > time.Minute || list[i].Remote != "127.0.0.1" || list[i].Who != "olga" || list[i].Source != source {
			t.Errorf("line %+v", list[i])
		}
		list[i] = audit.Record{Action: list[i].Action, Outcome: list[i].Outcome, Queue: list[i].Queue, Mails: list[i].Mails, Of: list[i].Of, Count: list[i].Count}
	}
	return list
}

const api = "/queues/api/queues/default"

func TestActs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set, method, path, body string
		status                  int
		answer                  string // is part of it
		state                   string // of mail invoice-1:a
		act                     audit.Record
	}{
		"delete what waits": {
			"pending", "DELETE", "/pending_tasks/invoice-1:a,acme", "", 200, "1 of 1 mails canceled", "canceled, no task",
			audit.Record{Action: audit.Cancel, Outcome: audit.Done, Of: 1, Count: 1},
		},
		"delete what is tried again": {
			"retry", "DELETE", "/retry_tasks/invoice-1:a,acme", "", 200, "1 of 1 mails canceled", "canceled, no task",
			audit.Record{Action: audit.Cancel, Outcome: audit.Done, Of: 1, Count: 1},
		},
		"delete what has failed": {
			"archived", "DELETE", "/archived_tasks/invoice-1:a,acme", "", 409, "It has ended", "failed, archived",
			audit.Record{Action: audit.Cancel, Outcome: audit.Done, Of: 1},
		},
		"delete two": {
			"retry", "POST", "/retry_tasks:batch_delete", `{"task_ids":["invoice-1:a,acme","none"]}`, 200,
			`{"deleted_ids":["invoice-1:a,acme"],"failed_ids":["none"],"said":"1 of 2 mails canceled. Of the first that was not: It is not here`, "canceled, no task",
			audit.Record{Action: audit.Cancel, Outcome: audit.Done, Of: 2, Count: 1, Mails: []audit.Mail{{Tenant: "acme", ID: "invoice-1:a"}, {ID: "none"}}},
		},
		"run what is tried again": {
			"retry", "POST", "/retry_tasks/invoice-1:a,acme:run", "", 200, "1 of 1 mails are tried now", "scheduled, scheduled",
			audit.Record{Action: audit.Reschedule, Outcome: audit.Done, Of: 1, Count: 1},
		},
		"run what is scheduled": {
			"scheduled", "POST", "/scheduled_tasks:batch_run", `{"task_ids":["invoice-1:a,acme"]}`, 200,
			`"error_ids":[],"pending_ids":["invoice-1:a,acme"]`, "scheduled, scheduled",
			audit.Record{Action: audit.Reschedule, Outcome: audit.Done, Of: 1, Count: 1},
		},
		"run what has failed": {
			"archived", "POST", "/archived_tasks/invoice-1:a,acme:run", "", 200, "1 of 1 mails are sent again", "queued, pending",
			audit.Record{Action: audit.Retry, Outcome: audit.Done, Of: 1, Count: 1},
		},
		"run all that has failed": {
			"archived", "POST", "/archived_tasks:run_all", "", 200, `"scheduled":1`, "queued, pending",
			audit.Record{Action: audit.Retry, Outcome: audit.Done, Of: 1, Count: 1},
		},
		"run all that is tried again": {
			"retry", "POST", "/retry_tasks:run_all", "", 200, `"scheduled":1`, "scheduled, scheduled",
			audit.Record{Action: audit.Reschedule, Outcome: audit.Done, Of: 1, Count: 1},
		},
		"no body": {"retry", "POST", "/retry_tasks:batch_run", "x", 400, "names no mails", "deferred, retry", audit.Record{}},
		"delete all": {
			"retry", "DELETE", "/retry_tasks:delete_all", "", 403, "rohrpost cancel", "deferred, retry",
			audit.Record{Action: audit.DeleteAll, Outcome: audit.Refused},
		},
		"archive": {
			"retry", "POST", "/retry_tasks/invoice-1:a,acme:archive", "", 403, "Nothing was archived", "deferred, retry",
			audit.Record{Action: audit.Archive, Outcome: audit.Refused},
		},
		"interrupt": {
			"retry", "POST", "/active_tasks:cancel_all", "", 403, "Nothing was stopped", "deferred, retry",
			audit.Record{Action: audit.Interrupt, Outcome: audit.Refused},
		},
		"delete the queue": {
			"retry", "DELETE", "", "", 403, "a queue stays", "deferred, retry",
			audit.Record{Action: audit.DeleteQueue, Outcome: audit.Refused},
		},
		"what nobody knows": {
			"retry", "POST", "/retry_tasks/invoice-1:a,acme:obliterate", "", 403, "does not know this act", "deferred, retry",
			audit.Record{Action: audit.Other, Outcome: audit.Refused},
		},
		"a group": {
			"retry", "DELETE", "/groups/g/aggregating_tasks/invoice-1:a,acme", "", 403, "does not know this act", "deferred, retry",
			audit.Record{Action: audit.Other, Outcome: audit.Refused},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.mail(t, "invoice-1:a", tt.set)
			got := s.do(t, "olga", tt.method, api+tt.path, tt.body)
			if got.status != tt.status || !strings.Contains(got.body, tt.answer) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if tt.status == 200 && !json.Valid([]byte(got.body)) {
				t.Errorf("no JSON: %s", got.body)
			}
			if state := s.state(t, "invoice-1:a"); state != tt.state {
				t.Errorf("mail is %q, want %q", state, tt.state)
			}
			var want []audit.Record
			if tt.act.Action != "" {
				tt.act.Queue = "default"
				if tt.act.Outcome == audit.Done && tt.act.Mails == nil {
					tt.act.Mails = []audit.Mail{{Tenant: "acme", ID: "invoice-1:a"}}
				}
				want = append(want, tt.act)
			}
			if diff := cmp.Diff(want, s.history(t, audit.Dashboard)); diff != "" && len(want)+len(s.history(t, audit.Dashboard)) > 0 {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadsAreListed: what a newer asynqmon could answer besides is not asked for.
func TestReadsAreListed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range []string{"/queues/api/", "/queues/api/secrets", "/queues/api/queues/default/everything", "/queues/api/queues/default/retry_tasks/x"} {
		if got := s.get(t, "olga", path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for _, method := range []string{"PUT", "PATCH", "OPTIONS"} {
		if got := s.do(t, "olga", method, api+"/retry_tasks:delete_all", ""); got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, got.status)
		}
	}
}

// TestDeleteOfWhatIsNoMail: a task that no ledger can end goes, once it is old.
func TestDeleteOfWhatIsNoMail(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	tasks := asynq.NewClientFromRedisClient(s.redis.Client(t))
	old := &payload.Job{Message: rohrpost.Message{ID: "old", Tenant: "acme", To: []rohrpost.Address{{Address: "a@b.example"}}}, EnqueuedAt: time.Now().Add(-time.Hour)}
	content, err := payload.Encode(old)
	if err != nil {
		t.Fatal(err)
	}
	for id, task := range map[string]*asynq.Task{
		"foreign": asynq.NewTask("report", []byte("x")), "young": canaryJob(t, "young"), "old": asynq.NewTask("mail", content),
		"newer": asynq.NewTask("mail", []byte("{\"v\":99}\n")),
	} {
		if _, err := tasks.Enqueue(task, asynq.TaskID(id)); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]string{
		"foreign": "1 of 1 tasks deleted", "old": "1 of 1 mails canceled", "young": "just being enqueued", "newer": "newer version",
	} {
		if got := s.do(t, "olga", "DELETE", api+"/pending_tasks/"+id, ""); !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", id, got.status, got.body)
		}
	}
	left := s.redis.Client(t).LRange(t.Context(), "asynq:{default}:pending", 0, -1).Val()
	slices.Sort(left)
	if diff := cmp.Diff([]string{"newer", "young"}, left); diff != "" {
		t.Error(diff)
	}
}

// TestUnwritten: what cannot be written down is not done.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.mail(t, "one", "retry")
	if err := s.redis.Client(t).Set(t.Context(), "rohrpost:audit", "no stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	got := s.do(t, "olga", "DELETE", api+"/retry_tasks/one", "")
	if got.status != 503 || !strings.Contains(got.body, "could not be written down") || s.state(t, "one") != "deferred, retry" {
		t.Errorf("%d %s, %s", got.status, got.body, s.state(t, "one"))
	}
	if got := s.do(t, "olga", "POST", api+":pause", ""); got.status != 503 || s.redis.Client(t).Exists(t.Context(), "asynq:{default}:paused").Val() == 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if lines := s.lines.String(); !strings.Contains(lines, `"user":"olga"`) || !strings.Contains(lines, "an act is refused") {
		t.Errorf("log %s", lines)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for range 2 { // the second time it is paused already
		if got := s.do(t, "olga", "POST", "/queues/api/queues/bulk:pause", ""); got.status != 200 || !strings.Contains(got.body, "queue bulk is paused") {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if got := s.do(t, "olga", "POST", "/queues/api/queues/other:pause", ""); got.status != 403 {
		t.Errorf("another queue: %d", got.status)
	}
	for user, want := range map[string]string{
		"olga": `Die Warteschlange Massenversand ist seit [\d:]+ angehalten, von olga\.`,
		"rita": `Die Warteschlange Massenversand ist seit [\d:]+ angehalten\.`,
	} {
		if got := s.get(t, user, map[string]string{"olga": "/", "rita": "/t/acme/"}[user]+"?lang=de"); !regexp.MustCompile(want).MatchString(got.body) {
			t.Errorf("%s: %s", user, got.body)
		}
	}
	if got := s.do(t, "olga", "POST", "/queues/api/queues/bulk:resume", ""); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.get(t, "olga", "/"); got.status != 200 || strings.Contains(got.body, "has been paused") {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.redis.Stop()
	if got := s.get(t, "olga", "/"); got.status != 200 || !strings.Contains(got.body, "Redis does not answer") {
		t.Errorf("without Redis: %d %s", got.status, got.body)
	}
}

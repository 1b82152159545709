package producer_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// older enqueues the mail of acme that mail() is as versions before payload 2 did: the
// record and the task have the id alone for their key.
func (s *stage) older(id string) {
	s.t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	record := "rohrpost:job:{" + id + "}"
	s.rdb.HSet(s.t.Context(), record, "t", "acme", "m", "@acme.example>", "q", "default", "e", now.UnixMilli(),
		"to", "kunde@example.org", "n", "nonce", "s", "queued")
	s.rdb.PExpireAt(s.t.Context(), record, now.Add(9*24*time.Hour))
	payload := `{"v":1,"message_id":"<` + id + `@acme.example>","enqueued_at":` + strconv.FormatInt(now.UnixMilli(), 10) +
		`,"id":"` + id + `","tenant":"acme","subject":"alt","to":[{"address":"kunde@example.org"}],"text_len":9}` + "\nGuten Tag"
	task := asynq.NewTask("mail", []byte(payload), asynq.TaskID(id), asynq.Queue("default"), asynq.MaxRetry(1000))
	if _, err := asynq.NewClientFromRedisClient(s.rdb).EnqueueContext(s.t.Context(), task); err != nil {
		s.t.Fatal(err)
	}
}

// finish takes a task away, as that of a mail that is done.
func (s *stage) finish(key string) {
	s.t.Helper()
	s.must(asynq.NewInspectorFromRedisClient(s.rdb).DeleteTask("default", key))
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// A Send of an id that an older version has used for the same tenant is its duplicate,
// whatever has become of the mail, and enqueues nothing under a key of its own.
func TestSendAfterAnOlderVersion(t *testing.T) {
	t.Parallel()
	first := rohrpost.Receipt{ID: "a", MessageID: "<a@acme.example>", Duplicate: true}
	for name, tt := range map[string]struct {
		before func(*stage)
		tasks  []string
	}{
		"queued":              {func(*stage) {}, []string{"default/pending/a"}},
		"its task never came": {func(s *stage) { s.finish("a") }, []string{"default/pending/a"}},
		"accepted": {func(s *stage) {
			s.rdb.HSet(s.t.Context(), "rohrpost:job:{a}", "s", "accepted")
			s.finish("a")
		}, nil},
		"canceled": {func(s *stage) { s.must(s.ForTenant("acme").Cancel(s.t.Context(), "a")) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, redistest.Start(t).Client(t))
			s.older("a")
			tt.before(s)
			for _, client := range []*producer.Client{s.Client, s.ForTenant("acme")} {
				if diff := cmp.Diff(first, mustSend(t, client, mail(), producer.WithID("a"))); diff != "" {
					t.Error(diff)
				}
			}
			got := tasks(t, s.rdb)
			if diff := cmp.Diff(tt.tasks, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if len(got) > 0 {
				info, err := asynq.NewInspectorFromRedisClient(s.rdb).GetTaskInfo("default", "a")
				if err != nil || !strings.HasPrefix(string(info.Payload), `{"v":1,`) {
					t.Errorf("its payload is no older version's: %+v, %v", info, err)
				}
			}
			if n := s.rdb.Exists(t.Context(), record("a")).Val(); n != 0 {
				t.Error("there is a second record")
			}
		})
	}
}

// What an older version has enqueued is in nobody else's way, and nobody else sees it.
func TestOlderMailOfAnotherTenant(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	s.older("a")
	before := s.rdb.HGetAll(t.Context(), "rohrpost:job:{a}").Val()
	globex := s.ForTenant("globex")
	if _, err := globex.Status(t.Context(), "a"); !errors.Is(err, producer.ErrNotFound) {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"cancel": globex.Cancel(t.Context(), "a"), "retry": globex.Retry(t.Context(), "a"),
		"reschedule": globex.Reschedule(t.Context(), "a", time.Now().Add(time.Hour)),
	} {
		if !errors.Is(err, producer.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	m := mail()
	m.Tenant = "globex"
	if r := mustSend(t, s.Client, m, producer.WithID("a")); r.Duplicate {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff([]string{"default/pending/a", "default/pending/a,globex"}, tasks(t, s.rdb)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, s.rdb.HGetAll(t.Context(), "rohrpost:job:{a}").Val()); diff != "" {
		t.Error(diff)
	}
}

// Its tenant, and an operator, reach an older version's mail by its id.
func TestActOnAnOlderMail(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	for i, client := range []*producer.Client{s.Client, s.ForTenant("acme")} {
		id := "a" + strconv.Itoa(i)
		s.older(id)
		if st := status(t, client, id); st.Tenant != "acme" || st.ID != id || st.MessageID != "<"+id+"@acme.example>" {
			t.Errorf("%+v", st)
		}
		s.must(client.Reschedule(t.Context(), id, time.Now().Add(time.Hour)))
		s.must(client.Retry(t.Context(), id))
		archiveTask(t, s.rdb, "default", id)
		s.rdb.HSet(t.Context(), "rohrpost:job:{"+id+"}", "s", "failed")
		again, err := client.RetryAll(t.Context(), producer.RetryFilter{Tenant: "acme"})
		if err != nil || !slices.Equal(again, []string{id}) {
			t.Errorf("%q, %v", again, err)
		}
		if diff := cmp.Diff([]string{"default/pending/" + id}, tasks(t, s.rdb)); diff != "" {
			t.Error(diff)
		}
		s.must(client.Cancel(t.Context(), id))
		if got := tasks(t, s.rdb); len(got) != 0 {
			t.Errorf("left: %q", got)
		}
	}
}

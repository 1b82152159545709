package mails_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/producer"
)

// A meter counts what Redis is asked.
type meter struct{ journal, records, commands int }

func (*meter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m *meter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		err := next(ctx, c)
		m.count(c)
		return err
	}
}

func (m *meter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, c := range cmds {
			m.count(c)
		}
		return err
	}
}

func (m *meter) count(c redis.Cmder) {
	m.commands++
	if text, ok := c.(*redis.StringCmd); ok && c.Name() == "getrange" {
		m.journal += len(text.Val())
	}
	if key, _ := c.Args()[min(1, len(c.Args())-1)].(string); strings.HasPrefix(key, "rohrpost:job:") {
		m.records++
	}
}

// fill lists mails of which there is no record, behind one that there is.
func (s *site) fill(n int) (oldest string) {
	s.t.Helper()
	now := time.Now()
	oldest = s.send(message("rare@example.org"))
	if err := s.index.Prepare(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	for i := range n / 1000 {
		list := make([]mailindex.Mail, 1000)
		for k := range list {
			list[k] = mailindex.Mail{Tenant: "acme", ID: fmt.Sprintf("%08d", 1000*i+k), EnqueuedAt: now, Recipients: []string{"b@example.org"}}
		}
		var batch lua.Batch
		s.index.Add(&batch, "acme", list)
		if err := batch.Exec(s.t.Context(), s.rdb); err != nil {
			s.t.Fatal(err)
		}
	}
	return oldest
}

// TestBounds: whatever is looked for, a page reads a bounded part of the index and of the
// records, and says how to go on.
func TestBounds(t *testing.T) {
	t.Parallel()
	const entries, size = 300_000, 12 + 8 + 8 + 2
	s := open(t, func(o *mails.Options, _ *producer.Options) { o.Budget = time.Hour })
	oldest := s.fill(entries)
	m := new(meter)
	s.rdb.AddHook(m)
	for name, tt := range map[string]struct {
		filter mails.Filter
		found  []string
		pages  int // to the end; 0: more than three
	}{
		"a rare recipient": {mails.Filter{Recipient: "rare@example.org"}, []string{oldest}, 2},
		"a user":           {mails.Filter{User: "max"}, []string{oldest}, 2},
		"nobody":           {mails.Filter{Recipient: "nobody@example.org"}, nil, 2},
		"a state":          {mails.Filter{State: rohrpost.Failed}, nil, 1},
		"mails on the way": {mails.Filter{State: rohrpost.Queued}, nil, 0},
		"a common one":     {mails.Filter{Recipient: "@example.org"}, nil, 0},
		"all":              {mails.Filter{}, nil, 0},
	} {
		var found []string
		pages, cursor := 0, ""
		for pages == 0 || cursor != "" && pages < 3 {
			*m = meter{}
			page, err := s.List(t.Context(), "acme", tt.filter, cursor, 50)
			if err != nil {
				t.Fatal(err)
			}
			const group = 1<<20 + 1<<17 // what travels in one round trip may be left
			if m.journal > 250_000*size+group || m.records > 5100 || m.commands > m.records+m.journal>>16+200 {
				t.Errorf("%s: page %d reads %d bytes of the journal and %d records with %d commands", name, pages, m.journal, m.records, m.commands)
			}
			for _, item := range page.Items {
				found = append(found, item.ID)
			}
			if page.Next != "" && (page.Reached.IsZero() || page.Exact && tt.filter != mails.Filter{}) {
				t.Errorf("%s: page %d does not say that it has not seen all: %+v", name, pages, page)
			}
			pages++
			cursor = page.Next
		}
		if tt.pages == 0 && cursor == "" || tt.pages > 0 && (cursor != "" || pages != tt.pages) || !slices.Equal(found, tt.found) {
			t.Errorf("%s: %q on %d pages, goes on %v; want %q on %d", name, found, pages, cursor != "", tt.found, tt.pages)
		}
	}
}

// TestBoundedRecords: behind what a page may read, the look goes on where it ended.
func TestBoundedRecords(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *mails.Options, _ *producer.Options) { o.Budget = time.Hour })
	oldest := s.fill(12_000)
	for _, f := range []mails.Filter{{}, {State: rohrpost.Queued}, {Recipient: "@example.org"}} {
		found, first := s.list(f, 50)
		if !slices.Equal(found, []string{oldest}) || first.Next == "" || first.Reached.IsZero() || len(first.Items) > 0 {
			t.Errorf("%+v: %q, first %+v", f, found, first)
		}
	}
}

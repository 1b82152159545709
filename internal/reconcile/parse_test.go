package reconcile

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// FuzzTask: nothing that Redis may answer makes the look panic.
func FuzzTask(f *testing.F) {
	msg := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte("mail"))
	msg = protowire.AppendBytes(protowire.AppendTag(msg, 2, protowire.BytesType), []byte(`{"v":1,"to":[{"a":"a@example.org"}]}`+"\n"))
	f.Add("pending", "1", "retry 5,lease 7.5,pending,pending", string(msg))
	f.Add("", "", "", "")
	f.Add("active", "x", " ,, retry x", "\x12\xff\xff\xff\xff\xff")
	f.Fuzz(func(t *testing.T, state, since, listed, msg string) {
		got, there := parseTask("default", []any{state, since, listed, msg})
		if there != (state+listed+msg != "") || got.mail != (msg != "") || got.foreign && got.job != nil {
			t.Errorf("%+v, %v", got, there)
		}
		(&judge{}).findings(&view{key: "x", tasks: []task{got}})
	})
}

// A shift adds entries to a list before each page of it is read.
type shift struct {
	n   int
	key string
}

func (*shift) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*shift) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (s *shift) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "lrange" && s.n > 0 {
			push := redis.NewCmd(ctx, "eval", "for i = 1, ARGV[1] do redis.call('LPUSH', KEYS[1], 'new' .. math.random()) end", 1, s.key, s.n)
			if err := next(ctx, push); err != nil && err.Error() != "redis: nil" {
				return err
			}
		}
		return next(ctx, cmd)
	}
}

// TestScanList: whatever is added while a list is read, what was there comes, and
// comes once if less than a page is added at a time.
func TestScanList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ length, shift int }{
		{0, 0}, {1, 0}, {2, 0}, {999, 0}, {1000, 0}, {1001, 0}, {1999, 0}, {2000, 0}, {3500, 0}, {3500, 1}, {3500, 300}, {3500, 999}, {3500, 1000},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Start(t).Client(t)
			ctx := t.Context()
			want := map[string]int{}
			for n := range tt.length {
				id := fmt.Sprint("old", n)
				want[id] = 1
				if err := rdb.LPush(ctx, "list", id).Err(); err != nil {
					t.Fatal(err)
				}
			}
			rdb.AddHook(&shift{tt.shift, "list"})
			got := map[string]int{}
			err := (&Reconciler{rdb: rdb}).scanList(ctx, "list", func(ids []string) error {
				for _, id := range ids {
					if strings.HasPrefix(id, "old") {
						got[id]++
					}
				}
				return nil
			})
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

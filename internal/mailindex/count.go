package mailindex

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
)

// Enqueued counts the mails that were enqueued. All other counts are named by the state
// into which mails went.
const Enqueued = "enqueued"

// An Hour is what happened to mails in an hour. A mail that was deferred twice counts
// twice in Deferred.
type Hour struct {
	Time     time.Time // its beginning, UTC
	Enqueued int64     // 0 of all tenants together, which nobody counts
	States   map[rohrpost.State]int64
}

// countField is the field of an hour in the hash of its day.
func countField(hour int64, what string) string { return strconv.FormatInt(hour%24, 10) + ":" + what }

// Hours are the counts of a tenant for the hours of from to to, oldest first, in one round
// trip. They are statistics: a process that is killed loses a quarter of a second of them.
func (x *Index) Hours(ctx context.Context, tenant string, from, to time.Time) ([]Hour, error) {
	return x.hours(ctx, func(day int64) string { return countsKey(tenant, day) }, hourOf(from), hourOf(to))
}

// HoursOfAll are the counts of all tenants together, as Hours. They begin when the first
// worker of a version runs that writes them.
func (x *Index) HoursOfAll(ctx context.Context, from, to time.Time) ([]Hour, error) {
	return x.hours(ctx, allCountsKey, hourOf(from), hourOf(to))
}

func (x *Index) hours(ctx context.Context, key func(day int64) string, first, last int64) ([]Hour, error) {
	pipe := x.rdb.Pipeline()
	days := map[int64]*redis.MapStringStringCmd{}
	for day := first / 24; day <= last/24; day++ {
		days[day] = pipe.HGetAll(ctx, key(day))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("counts of mails: %w", err)
	}
	hours := make([]Hour, 0, last-first+1)
	for hour := first; hour <= last; hour++ {
		hours = append(hours, Hour{Time: hourTime(hour), States: map[rohrpost.State]int64{}})
	}
	for day, counts := range days {
		for field, text := range counts.Val() {
			of, what, _ := strings.Cut(field, ":")
			n, _ := strconv.ParseInt(text, 10, 64)
			at, err := strconv.ParseInt(of, 10, 64)
			i := 24*day + at - first
			if err != nil || i < 0 || i >= int64(len(hours)) {
				continue
			}
			if what == Enqueued {
				hours[i].Enqueued = n
			} else {
				hours[i].States[rohrpost.State(what)] = n
			}
		}
	}
	return hours, nil
}

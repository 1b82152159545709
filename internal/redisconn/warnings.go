package redisconn

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxSkew is how far the clocks of a worker and of Redis may be apart: asynq takes the
// worker's for when a task is due, and for when its worker has died.
const maxSkew = 5 * time.Second

// Warnings are the settings of this Redis that would lose mail, and clocks that differ,
// each with its remedy in one line. Of a cluster every master is asked, of a Sentinel group the
// present one. What a user without CONFIG, as on a hosted service, cannot read is taken
// from INFO, and what neither tells is said.
func Warnings(ctx context.Context, client redis.UniversalClient) []string {
	masters, err := Masters(ctx, client)
	if err != nil {
		return nil
	}
	if len(masters) == 1 {
		return warnings(ctx, masters[0])
	}
	found := map[string][]string{} // addresses of the masters by warning
	for _, master := range masters {
		for _, w := range warnings(ctx, master) {
			found[w] = append(found[w], master.Options().Addr)
		}
	}
	var out []string
	for _, w := range slices.Sorted(maps.Keys(found)) {
		slices.Sort(found[w])
		out = append(out, w+" (on "+strings.Join(found[w], ", ")+")")
	}
	return out
}

// warnings are those of one server.
func warnings(ctx context.Context, client redis.Cmdable) []string {
	s := askSettings(ctx, client)
	var out []string
	if s.policy != "" && s.policy != "noeviction" {
		out = append(out, fmt.Sprintf(
			"redis deletes queued mail when its memory is full (maxmemory-policy %s): CONFIG SET maxmemory-policy noeviction", s.policy))
	}
	switch {
	case s.appendonly != "no":
	case s.save == nil:
		out = append(out, "redis does not append to a file (appendonly no), and does not tell whether it takes snapshots; without any a restart loses queued mail: CONFIG SET appendonly yes")
	case *s.save == "":
		out = append(out, "redis keeps nothing on disk, a restart loses queued mail (appendonly no, save \"\"): CONFIG SET appendonly yes")
	}
	// A master that nobody can hear any more would go on saying yes.
	if s.replicas && s.minReplicas == "0" {
		out = append(out, "redis takes mail that no replica gets, which a fail-over loses (min-replicas-to-write 0): CONFIG SET min-replicas-to-write 1")
	}
	if len(s.untold) > 0 {
		out = append(out, "redis does not tell "+strings.Join(s.untold, ", ")+
			": whether it may lose mail is not known; allow its user INFO (ACL +info), or see docs/redis.md")
	}
	before := time.Now()
	if now, err := client.Time(ctx).Result(); err == nil {
		out = append(out, clockWarning(before, now, time.Now())...)
	}
	return out
}

// clockWarning compares the clock of Redis with this machine's before the question and
// after the answer.
func clockWarning(before, now, after time.Time) []string {
	skew, word := now.Sub(after), "behind"
	if ahead := before.Sub(now); ahead > skew {
		skew, word = ahead, "ahead of"
	}
	if skew <= maxSkew {
		return nil
	}
	return []string{fmt.Sprintf(
		"this machine's clock is %v %s that of redis, mails leave too early or late and are taken from workers that still have them: synchronise both (NTP)",
		skew.Round(time.Second), word)}
}

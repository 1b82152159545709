package redisconn

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Subject is what a Finding is about.
type Subject string

// The subjects.
const (
	Version     Subject = "version"
	Eviction    Subject = "eviction"    // maxmemory-policy
	Persistence Subject = "persistence" // appendonly and save
	Replication Subject = "replication" // min-replicas-to-write
	Clock       Subject = "clock"
)

// subjects are in the order of what Examine answers.
func subjects() []Subject { return []Subject{Version, Eviction, Persistence, Replication, Clock} }

// A Verdict is what a Finding says.
type Verdict string

// The verdicts.
const (
	Good   Verdict = "good"
	Bad    Verdict = "bad"    // mail may be lost, late or refused
	Unsure Verdict = "unsure" // of Persistence: no AOF, and nobody knows whether there are snapshots
	Untold Verdict = "untold" // Redis does not tell
)

const (
	// maxSkew is how far the clocks of a worker and of Redis may be apart: asynq takes the
	// worker's for when a task is due, and for when its worker has died.
	maxSkew = 5 * time.Second
	// minVersion is the first major version that has the commands in use.
	minVersion = 7
)

// A Finding says of a setting of Redis, or of its clock, whether it does harm to mail.
type Finding struct {
	Subject Subject
	Verdict Verdict
	Value   string        // of the setting, as "allkeys-lru" or "appendonly yes"
	Skew    time.Duration // of Clock: by how much this machine's is ahead; 0: not noticeably
	Servers []string      // of a Cluster: the masters of which it is true
}

// Examine looks at the settings of this Redis that could lose mail, and at clocks that
// differ. Of a Cluster every master is asked, of a Sentinel group the present one. What
// a user without CONFIG, as on a hosted service, cannot read is taken from INFO. The
// error says that the masters are not known.
func Examine(ctx context.Context, client redis.UniversalClient) ([]Finding, error) {
	if err := Ping(ctx, client); err != nil {
		return nil, err
	}
	masters, err := Masters(ctx, client)
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, master := range masters {
		for _, c := range examineServer(ctx, master) {
			i := slices.IndexFunc(all, func(o Finding) bool {
				return o.Subject == c.Subject && o.Verdict == c.Verdict && o.Value == c.Value && o.Skew == c.Skew
			})
			if i < 0 {
				i, all = len(all), append(all, c)
			}
			all[i].Servers = append(all[i].Servers, master.Options().Addr)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err // what it has not told, it may have had no time for
	}
	for i := range all {
		slices.Sort(all[i].Servers)
		if len(masters) == 1 {
			all[i].Servers = nil
		}
	}
	order := subjects()
	slices.SortStableFunc(all, func(a, b Finding) int { return slices.Index(order, a.Subject) - slices.Index(order, b.Subject) })
	return all, nil
}

// examineServer looks at one server. The server in memory, of demo and dev, has no
// version, and nothing to tell but the time.
func examineServer(ctx context.Context, client redis.Cmdable) []Finding {
	s := askSettings(ctx, client)
	var out []Finding
	if s.version != "" {
		out = append(out, Finding{Subject: Version, Verdict: verdictOf(major(s.version) >= minVersion), Value: s.version})
	}
	switch {
	case s.policy != "":
		out = append(out, Finding{Subject: Eviction, Verdict: verdictOf(s.policy == "noeviction"), Value: s.policy})
	case slices.Contains(s.untold, "maxmemory-policy"):
		out = append(out, Finding{Subject: Eviction, Verdict: Untold, Value: "maxmemory-policy"})
	}
	switch {
	case s.appendonly == "yes":
		out = append(out, Finding{Subject: Persistence, Verdict: Good, Value: "appendonly yes"})
	case s.appendonly == "no" && s.save == nil:
		out = append(out, Finding{Subject: Persistence, Verdict: Unsure, Value: "appendonly no"})
	case s.appendonly == "no":
		out = append(out, Finding{Subject: Persistence, Verdict: verdictOf(*s.save != ""), Value: "appendonly no, save " + strconv.Quote(*s.save)})
	case slices.Contains(s.untold, "appendonly"):
		out = append(out, Finding{Subject: Persistence, Verdict: Untold, Value: "appendonly"})
	}
	// A master that nobody can hear any more would go on saying yes.
	if s.replicas {
		out = append(out, Finding{Subject: Replication, Verdict: verdictOf(s.minReplicas != "0"), Value: s.minReplicas})
	}
	before := time.Now()
	if now, err := client.Time(ctx).Result(); err == nil {
		skew := skewOf(before, now, time.Now())
		out = append(out, Finding{Subject: Clock, Verdict: verdictOf(skew == 0), Skew: skew})
	}
	return out
}

func verdictOf(good bool) Verdict {
	if good {
		return Good
	}
	return Bad
}

func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return minVersion // nobody knows, and nobody is alarmed
	}
	return n
}

// skewOf is by how much this machine's clock, before the question and after the answer,
// is ahead of that of Redis for certain. It is 0 up to maxSkew.
func skewOf(before, now, after time.Time) time.Duration {
	switch ahead, behind := before.Sub(now), now.Sub(after); {
	case ahead > maxSkew:
		return ahead.Round(time.Second)
	case behind > maxSkew:
		return -behind.Round(time.Second)
	}
	return 0
}

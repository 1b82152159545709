package redisconn

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Warnings are what Examine finds that does harm, each with its remedy in one line.
func Warnings(ctx context.Context, client redis.UniversalClient) []string {
	findings, err := Examine(ctx, client)
	if err != nil {
		return nil
	}
	var out, untold []string
	for _, f := range findings {
		switch f.Verdict {
		case Good:
		case Untold:
			untold = append(untold, f.Value+f.on())
		case Bad, Unsure:
			out = append(out, f.warning()+f.on())
		}
	}
	if len(untold) > 0 {
		out = append(out, "redis does not tell "+strings.Join(untold, ", ")+
			": whether it may lose mail is not known; allow its user INFO (ACL +info), or see docs/redis.md")
	}
	return out
}

// on names the masters of a Cluster that a finding is about.
func (f Finding) on() string {
	if len(f.Servers) == 0 {
		return ""
	}
	return " (on " + strings.Join(f.Servers, ", ") + ")"
}

// warning says what is wrong, and its remedy.
func (f Finding) warning() string {
	switch f.Subject {
	case Version:
		return fmt.Sprintf("redis %s lacks commands that rohrpost uses: update it to %d or later", f.Value, minVersion)
	case Eviction:
		return fmt.Sprintf("redis deletes queued mail when its memory is full (maxmemory-policy %s): CONFIG SET maxmemory-policy noeviction", f.Value)
	case Persistence:
		if f.Verdict == Unsure {
			return "redis does not append to a file (appendonly no), and does not tell whether it takes snapshots; without any a restart loses queued mail: CONFIG SET appendonly yes"
		}
		return fmt.Sprintf("redis keeps nothing on disk, a restart loses queued mail (%s): CONFIG SET appendonly yes", f.Value)
	case Replication:
		return "redis takes mail that no replica gets, which a fail-over loses (min-replicas-to-write 0): CONFIG SET min-replicas-to-write 1"
	}
	word := "behind"
	if f.Skew > 0 {
		word = "ahead of"
	}
	return fmt.Sprintf("this machine's clock is %v %s that of redis, mails leave too early or late and are taken from workers that still have them: synchronise both (NTP)",
		f.Skew.Abs(), word)
}

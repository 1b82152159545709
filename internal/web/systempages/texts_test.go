package systempages

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/system"
)

func TestEveryTextHasBothLanguages(t *testing.T) {
	t.Parallel()
	for key, pair := range texts() {
		if pair[0] == "" || pair[1] == "" {
			t.Errorf("%s: %q", key, pair)
		}
	}
}

// TestEveryCodeHasWords: what a check, a look at Redis or a failure can say is translated.
func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	keys := []string{}
	for _, kind := range reconcile.Kinds() {
		keys = append(keys, "kind_"+string(kind), "finding_"+string(kind), "remedy_"+string(kind))
	}
	for _, cause := range []reconcile.Cause{reconcile.Deleted, reconcile.Restarted, reconcile.Unclear} {
		keys = append(keys, "cause_"+string(cause))
	}
	for _, failure := range []system.Failure{system.NoTime, system.NoRights, system.NoAnswer, system.Abandoned} {
		keys = append(keys, "failure_"+string(failure))
	}
	for subject, verdicts := range map[redisconn.Subject][]redisconn.Verdict{
		redisconn.Version: {redisconn.Bad}, redisconn.Eviction: {redisconn.Bad, redisconn.Untold},
		redisconn.Persistence: {redisconn.Bad, redisconn.Unsure, redisconn.Untold},
		redisconn.Replication: {redisconn.Bad}, redisconn.Clock: {redisconn.Bad},
	} {
		keys = append(keys, "redis_"+string(subject))
		for _, verdict := range append(verdicts, redisconn.Good) {
			keys = append(keys, "verdict_"+string(verdict), "redis_"+string(subject)+"_"+string(verdict))
		}
	}
	for _, s := range sections() {
		keys = append(keys, "section_"+s.Key)
	}
	all := texts()
	for _, key := range keys {
		if _, ok := all[key]; !ok {
			t.Errorf("there are no words for %s", key)
		}
	}
}

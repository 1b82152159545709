package errorlog_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
)

func TestBecause(t *testing.T) {
	t.Parallel()
	refused := failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no"}}})
	before := errorlog.Entry{Tenant: "acme", JobID: "a"}
	for name, tt := range map[string]struct {
		err  error
		want errorlog.Entry
	}{
		"failure": {fmt.Errorf("send: %w", refused), errorlog.Entry{
			Tenant: "acme", JobID: "a", Stage: "auth", Code: 535, Enhanced: "5.7.8", Diagnostic: "5.7.8 no", Category: "auth_failed", Class: "config", Rule: 19,
		}},
		"other": {errors.New("no"), errorlog.Entry{Tenant: "acme", JobID: "a", Diagnostic: "no"}},
	} {
		if diff := cmp.Diff(tt.want, before.Because(tt.err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

package netguard_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
)

// TestHidden: what has not come to an allowed address is hidden, and keeps its class:
// mails of a name that is not found now wait for it.
func TestHidden(t *testing.T) {
	t.Parallel()
	on, port := two(t)
	_ = on[allowed].Close()
	ns := &nameserver{answers: map[string][][]netip.Addr{"inner.test.": {{refused}}, "down.test.": {{allowed}}, "both.test.": {{refused, allowed}}}}
	g := guard(t, netguard.Options{Ports: []int{port}, Resolver: ns.resolver(t)})
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		host, category string
		late, hidden   bool
	}{
		{"inner.test", "config_invalid", false, true},
		{"nowhere.test", "dns_failure", false, true},
		{"nowhere.onion", "host_unreachable", false, true},
		{"inner.test", "connection_lost", true, true},
		{"down.test", "connection_refused", false, false},
		{"both.test", "host_unreachable", false, false},
	} {
		ctx := t.Context()
		if c.late {
			ctx = canceled
		}
		_, err := g.DialContext(ctx, "tcp", fmt.Sprintf("%s:%d", c.host, port))
		f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: err})
		if netguard.Hidden(err) != c.hidden || !netguard.Hidden(f) == c.hidden || f.Category != c.category {
			t.Errorf("%s: hidden %v, %v", c.host, netguard.Hidden(err), f)
		}
	}
	if netguard.Hidden(nil) {
		t.Error("nothing is hidden")
	}
}

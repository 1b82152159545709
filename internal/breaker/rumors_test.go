package breaker

import (
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// TestRumorsAreForgotten: after a quarter of an hour, and when there are too many.
func TestRumorsAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	said := func(tenant string, n int) {
		f := failure.Classify(failure.Cause{
			Stage: failure.StageRcpt, Reply: failure.Reply{Code: 450, Lines: []string{"4.7.0 rate limit exceeded, try again later"}},
		})
		b.Record(t.Context(), &Target{Account: "platform", Tenant: tenant, Shared: true}, Result{Failure: f, Domains: []string{fmt.Sprintf("domain%d.example", n)}})
	}
	passes := func() bool {
		block, err := b.Pass(t.Context(), &Target{Account: "platform", Tenant: "mallory", Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		return block == nil
	}
	for n := range 2 {
		said("mallory", n)
	}
	b.at = b.at.Add(16 * time.Minute)
	b.hearsay.forget(b.at)
	if said("mallory", 2); !passes() {
		t.Error("old hearsay counts")
	}
	for n := range 2 {
		said("mallory", 3+n)
	}
	if passes() {
		t.Error("three domains are not enough")
	}
	for n := range 10_100 {
		said(fmt.Sprint("tenant", n), n)
	}
	if n := b.hearsay.count; n > mostRumors || n < 50 {
		t.Errorf("%d rumors are kept", n)
	}
}

// TestFaultsAreBounded: servers that never work again do not fill the memory.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	var f faults
	for n := range 3 * mostFaults {
		f.add(fmt.Sprint("server/", n))
	}
	if n := len(f.inRow); n > mostFaults {
		t.Errorf("%d are counted", n)
	}
	if f.add("x"); f.add("x") != 2 {
		t.Error("faults in a row are not counted")
	}
	if f.clear("x"); f.add("x") != 1 {
		t.Error("a success does not end the row")
	}
}

package doctor_test

import (
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// nowhere is the guard's error of a name that there is not. Nobody is asked about names
// under onion (RFC 7686).
func nowhere(t *testing.T) error {
	t.Helper()
	g, err := netguard.New(netguard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.DialContext(t.Context(), "tcp", "nowhere.onion:587")
	return err
}

// TestHidden: to a tenant, a name that is not there and one whose address is refused
// read the same, to the letter; an operator sees which.
func TestHidden(t *testing.T) {
	t.Parallel()
	refused := func(address, reason string) failure.Cause {
		return failure.Cause{Stage: failure.StageConnect, Err: &netguard.Refused{Address: address, Reason: reason}}
	}
	dns := func(e net.DNSError) failure.Cause {
		return failure.Cause{Stage: failure.StageConnect, Err: &net.OpError{Op: "dial", Net: "tcp", Err: &e}}
	}
	cases := map[string]told{
		"an inner address":         healthy().fail(smtp.StepConnect, refused("10.0.0.7:587", "private")),
		"an own address":           healthy().fail(smtp.StepConnect, refused("9.8.7.6:25", "own address")),
		"a port":                   healthy().fail(smtp.StepConnect, refused("8.8.8.8:22", "port")),
		"no such name":             healthy().fail(smtp.StepResolve, dns(net.DNSError{Err: "no such host", Name: "inner.example", IsNotFound: true})),
		"no such name, at once":    healthy().fail(smtp.StepConnect, failure.Cause{Stage: failure.StageConnect, Err: nowhere(t)}),
		"the name server is down":  healthy().fail(smtp.StepResolve, dns(net.DNSError{Err: "server misbehaving", Name: "inner.example", IsTemporary: true})),
		"the name server is quiet": healthy().fail(smtp.StepResolve, dns(net.DNSError{Err: "i/o timeout", Name: "inner.example", IsTimeout: true})),
	}
	var first string
	for name, steps := range cases {
		for i := range steps {
			steps[i].Took = time.Duration(len(name)) * time.Second // another time in each case
		}
		r := request("en")
		r.Guarded = true
		report := examine(t, steps, r)
		text, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		all := string(text) + report.Text()
		if first == "" {
			first = all
		}
		if diff := cmp.Diff(first, all); diff != "" || !report.Hidden {
			t.Errorf("%s tells more: hidden %v\n%s", name, report.Hidden, diff)
		}
		if got := step(t, report, smtp.StepConnect); got.Verdict != doctor.Failed || len(got.Hints) != 1 || !strings.Contains(got.Hints[0], "spelling") {
			t.Errorf("%s: %+v", name, got)
		}
		r.Operator = true
		if got := examine(t, steps, r); got.Hidden || len(got.Steps) != len(steps) {
			t.Errorf("%s: an operator does not see it: %+v", name, got)
		}
	}
	r := request("en")
	got := examine(t, cases["no such name"], r)
	if step(t, got, smtp.StepResolve).Category != "dns_failure" || got.Hidden {
		t.Errorf("unguarded: %+v", got)
	}
}

// TestHiddenLogin: the token endpoint is looked up, too.
func TestHiddenLogin(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, err := range []error{&netguard.Refused{Address: "10.0.0.7:443", Reason: "private"}, nowhere(t)} {
		r := request("en")
		r.Guarded = true
		report := examine(t, healthy().fail(smtp.StepLogin, failure.Cause{Stage: failure.StageToken, Err: err}), r)
		if len(report.Steps) != len(healthy()) || report.Took != 0 {
			t.Errorf("%+v", report)
		}
		texts = append(texts, report.Text())
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Error(diff)
	}
}

// TestConcealed leaves what a server on the outside has said.
func TestConcealed(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("connection reset"), &net.OpError{Op: "dial", Err: errors.New("connection refused")}} {
		f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: err})
		if got, hidden := doctor.Concealed(f); got != f || hidden {
			t.Errorf("%v: %v", err, got)
		}
	}
	if got, hidden := doctor.Concealed(nil); got != nil || hidden {
		t.Errorf("%v", got)
	}
}

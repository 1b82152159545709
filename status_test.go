package rohrpost_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// Every State of status.go is here, so that a new one is a decision.
func TestFinal(t *testing.T) {
	t.Parallel()
	final := map[rohrpost.State]bool{
		rohrpost.Scheduled: false, rohrpost.Queued: false, rohrpost.Sending: false, rohrpost.Deferred: false, rohrpost.Parked: false,
		rohrpost.Accepted: true, rohrpost.Partly: true, rohrpost.Failed: true, rohrpost.Uncertain: true,
		rohrpost.Expired: true, rohrpost.Canceled: true, rohrpost.Bounced: true,
	}
	for _, s := range statesInSource(t) {
		want, known := final[s]
		if !known {
			t.Errorf("is %q final?", s)
		}
		if got := s.Final(); got != want {
			t.Errorf("%q: Final is %v", s, got)
		}
		delete(final, s)
	}
	if len(final) > 0 {
		t.Errorf("not in status.go: %v", final)
	}
	if rohrpost.State("").Final() || rohrpost.State("other").Final() {
		t.Error("an unknown state is final")
	}
}

func statesInSource(t *testing.T) []rohrpost.State {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "status.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []rohrpost.State
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "State" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rohrpost.State(value))
		}
		return true
	})
	return out
}

func TestLastFailure(t *testing.T) {
	t.Parallel()
	event := func(category, class string) rohrpost.Event { return rohrpost.Event{Category: category, Class: class} }
	tests := []struct {
		name    string
		history []rohrpost.Event
		want    string
	}{
		{"none", nil, ""},
		{"accepted", []rohrpost.Event{{Code: 250}}, ""},
		{"the newest", []rohrpost.Event{event("greylisted", "transient"), event("mailbox_full", "permanent"), {By: rohrpost.ByOperator}}, "mailbox_full"},
		{"what kept it waiting", []rohrpost.Event{event("auth_failed", "config"), event("expired", "expired")}, "auth_failed"},
		{"nothing but time", []rohrpost.Event{event("expired", "expired")}, "expired"},
		{"after a retry", []rohrpost.Event{event("expired", "expired"), {By: rohrpost.ByOperator}, event("auth_failed", "config")}, "auth_failed"},
	}
	for _, tt := range tests {
		s := rohrpost.Status{History: tt.history}
		if got := s.LastFailure().Category; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

package rohrpost_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

func TestRecipients(t *testing.T) {
	t.Parallel()
	list := func(addresses ...string) []rohrpost.Address {
		var out []rohrpost.Address
		for _, a := range addresses {
			out = append(out, rohrpost.Address{Name: "N", Address: a})
		}
		return out
	}
	tests := []struct {
		name string
		in   rohrpost.Message
		want []string
	}{
		{"none", rohrpost.Message{}, []string{}},
		{"one", rohrpost.Message{To: list("a@x")}, []string{"a@x"}},
		{"one, hidden", rohrpost.Message{Bcc: list("a@x")}, []string{"a@x"}},
		{"To, Cc, Bcc", rohrpost.Message{Bcc: list("d@x"), Cc: list("c@x"), To: list("b@x", "a@x")}, []string{"b@x", "a@x", "c@x", "d@x"}},
		{"twice in a list", rohrpost.Message{To: list("a@x", "b@x", "a@x")}, []string{"a@x", "b@x"}},
		{"twice in two lists", rohrpost.Message{To: list("b@x"), Cc: list("a@x", "b@x"), Bcc: list("a@x", "c@x")}, []string{"b@x", "a@x", "c@x"}},
		{"the domain has no case", rohrpost.Message{To: list("a@X.Example", "a@x.eXample")}, []string{"a@X.Example"}},
		{"the local part has case", rohrpost.Message{To: list("A@x", "a@x")}, []string{"A@x", "a@x"}},
		{"no domain", rohrpost.Message{To: list("A", "a", "A")}, []string{"A", "a"}},
		{"From is none", rohrpost.Message{From: rohrpost.Address{Address: "f@x"}, ReplyTo: list("r@x"), To: list("a@x")}, []string{"a@x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.in.Recipients()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUserName(t *testing.T) {
	t.Parallel()
	for want, u := range map[string]rohrpost.User{
		"":           {ID: "max", Address: "max@acme.example"},
		"Max":        {FirstName: "Max"},
		"Muster":     {LastName: "Muster"},
		"Max Muster": {FirstName: "Max", LastName: "Muster"},
	} {
		if got := u.Name(); got != want {
			t.Errorf("%+v: %q, want %q", u, got, want)
		}
	}
}

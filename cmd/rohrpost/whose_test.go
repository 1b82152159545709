package main

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestSeveralTenants: an id that several tenants have wants --tenant; with it, a
// command knows that tenant's mails alone.
func TestSeveralTenants(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	for _, tenant := range []string{"acme", "globex", ""} {
		fine(t, call(t, "", "send", "--redis", url, "--tenant", tenant, "--to", "kunde@example.org", "--text", "x", "--id", "a", "--not-before", "2h"))
	}
	enqueue(t, url, "of-acme")
	commands := [][]string{{"status", "a"}, {"reschedule", "a", "+1h"}, {"retry", "a"}, {"cancel", "a"}}
	const several = "rohrpost: job \"a\": several tenants have a mail of this id (the platform, acme, globex): name the tenant\n"
	for _, args := range commands {
		args = append(args, "--redis", url)
		if r := call(t, "", args...); r.code != exitFailed || r.err != several || r.out != "" {
			t.Errorf("%q: %+v", args, r)
		}
		if r := call(t, "", append(args, "--tenant", "initech")...); r.code != exitFailed || r.err != "rohrpost: job \"a\": no such job\n" {
			t.Errorf("%q of nobody: %+v", args, r)
		}
		fine(t, call(t, "", append(args, "--tenant", "globex")...))
		fine(t, call(t, "", append(args, "--tenant", "")...))
	}
	for tenant, state := range map[string]string{"acme": "scheduled", "globex": "canceled", "": "canceled"} {
		if r := fine(t, call(t, "", "status", "--redis", url, "a", "--tenant", tenant, "--json")); !strings.Contains(r.out, `"state":"`+state+`"`) {
			t.Errorf("%q: %q", tenant, r.out)
		}
	}
	if r := fine(t, call(t, "", "status", "--redis", url, "of-acme")); !strings.Contains(r.out, "acme") {
		t.Errorf("%q", r.out)
	}
	if r := call(t, "", "status", "--redis", url, "of-acme", "--tenant", ""); r.code != exitFailed {
		t.Errorf("the platform sees %q", r.out)
	}
}

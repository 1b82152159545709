package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// TestOlderSecrets is the way of a password that a version before has sealed, for no
// server in particular: it is named wherever one looks, sealed anew, and refused
// after that.
func TestOlderSecrets(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	server := mailServer(t, "info@acme.example")
	o.admit(server.Port())
	o.set(account(server, "info@acme.example"), "--tenant", "acme")
	if got := o.fine("", "config", "check", "--connect"); strings.Contains(got, "older version") {
		t.Errorf("a warning of what is bound: %q", got)
	}
	identity, err := os.ReadFile(o.path("key"))
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.New(seal.Options{Identities: secret.New(string(identity))})
	if err != nil {
		t.Fatal(err)
	}
	older, err := box.Seal(secret.New(hunter2), nil)
	if err != nil {
		t.Fatal(err)
	}
	rdb := o.redis.Client(t)
	plant := func() {
		const key, field = "rohrpost:accounts:{t:acme}", "tenant"
		record := rdb.HGet(t.Context(), key, field).Val()
		record = strings.ReplaceAll(record, sealedOf(t, rdb, key, field, "smtp.password"), older)
		if err := rdb.HSet(t.Context(), key, field, record).Err(); err != nil {
			t.Fatal(err)
		}
	}
	plant()
	for _, args := range [][]string{{"config", "check", "--connect"}, {"account", "show", "--tenant", "acme"}, {"account", "list", "--json"}} {
		if got := o.fine("", args...); !strings.Contains(got, "tenant/acme") || !strings.Contains(got, "by an older version") || !strings.Contains(got, "account reseal") {
			t.Errorf("%v: %q", args, got)
		}
	}
	try := []string{"account", "test", "--tenant", "acme", "--to", "anna@acme.example"}
	o.fine("", try...)
	o.environ["ROHRPOST_SECRETS_REQUIRE_BOUND"] = "true"
	o.refused(exitFailed, "", try, "secrets.require_bound", "account reseal")
	delete(o.environ, "ROHRPOST_SECRETS_REQUIRE_BOUND")

	want := "1 secrets, 1 of them sealed anew; 0 refresh tokens renewed\n1 of them are bound to their server from now on; set secrets.require_bound: true"
	if got := o.fine("", "account", "reseal"); !strings.HasPrefix(got, want) {
		t.Errorf("reseal: %q", got)
	}
	if got := o.fine("", "account", "reseal"); got != "1 secrets, 0 of them sealed anew; 0 refresh tokens renewed\n" {
		t.Errorf("again: %q", got)
	}
	o.environ["ROHRPOST_SECRETS_REQUIRE_BOUND"] = "true"
	o.fine("", try...)
	plant()
	o.refused(exitFailed, "", try, "secrets.require_bound")
}

// TestResealOfAFile renews tokens, which stand in Redis wherever the accounts do.
func TestResealOfAFile(t *testing.T) {
	t.Parallel()
	ask := inAFile(t, redistest.Start(t).URL())
	if r := fine(t, ask("reseal")); r.out != "0 secrets, 0 of them sealed anew; 0 refresh tokens renewed\n" {
		t.Errorf("%+v", r)
	}
}

package attack

import (
	"bytes"
	"encoding/json"
	"errors"
	netmail "net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// TestM7UsedID: whoever guesses another tenant's ids and uses them first keeps none of
// his mails from leaving.
func TestM7UsedID(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	s := newSite(t, "accounts: {file: accounts.yaml}\n")
	s.write("accounts.yaml", `platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: `+strconv.Itoa(server.Port())+`, encryption: none}}`)
	line := func(tenant, id string) string {
		return `{"tenant":"` + tenant + `","id":"` + id + `","to":["kunde@` + tenant + `.example"],"subject":"x","text":"x"}` + "\n"
	}
	for _, id := range []string{"invoice-4711", "a:b", "x~y", "UPPER..", strings.Repeat("l", 128)} {
		for _, tenant := range []string{"evil", "acme"} {
			if out, problem, err := s.try(line(tenant, id), "send"); err != nil || !strings.Contains(out, "queued") {
				t.Errorf("%s sends %s: %v, %s%s", tenant, id, err, out, problem)
			}
		}
		if out := s.run(line("acme", id), "send"); !strings.Contains(out, "not sent again") {
			t.Errorf("its own again: %s", out)
		}
	}
	s.start("worker")
	waitFor(t, "each has its mails", func() bool { return server.Taken() >= 10 })
	taken, ids := map[string]int{}, map[string]bool{}
	for _, m := range server.Mails() {
		taken[m.Recipients[0]]++
		message, err := netmail.ReadMessage(bytes.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		id := message.Header.Get("Message-ID")
		if ids[id] {
			t.Errorf("two mails are %q", id)
		}
		ids[id] = true
	}
	if taken["kunde@acme.example"] != 5 || taken["kunde@evil.example"] != 5 {
		t.Errorf("taken: %v", taken)
	}
}

// TestM7ForeignID: to a client that is bound to a tenant, or a command that names it, a
// foreign id is one that nobody has used.
func TestM7ForeignID(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	later := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
	s.run(`{"tenant":"acme","id":"invoice-4711","to":["kunde@acme.example"],"text":"x","not_before":"`+later+`"}`, "send")
	want := s.run("", "status", "--tenant", "acme", "--json", "invoice-4711")

	mail, err := producer.Open(s.redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mail.Close() }()
	evil, ctx := mail.ForTenant("evil"), t.Context()
	for _, id := range []string{"invoice-4711", "invoice-4711,acme", "invoice-4711}", "nobodys"} {
		_, err := evil.Status(ctx, id)
		for i, err := range []error{err, evil.Cancel(ctx, id), evil.Retry(ctx, id), evil.Reschedule(ctx, id, time.Now().Add(time.Hour))} {
			if !errors.Is(err, producer.ErrNotFound) {
				t.Errorf("%s, %d: %v", id, i, err)
			}
		}
		for _, args := range [][]string{{"status", id}, {"cancel", id}, {"retry", id}, {"reschedule", id, "+1h"}} {
			if _, problem, err := s.try("", append(args, "--tenant", "evil")...); err == nil || !strings.Contains(problem, "no such job") {
				t.Errorf("%q: %v, %s", args, err, problem)
			}
		}
	}
	var refused *rohrpost.FieldError
	_, err = evil.Send(ctx, rohrpost.Message{Tenant: "acme", To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"})
	if !errors.As(err, &refused) || refused.Field != "tenant" {
		t.Errorf("in acme's name: %v", err)
	}
	got := s.run("", "status", "--tenant", "acme", "--json", "invoice-4711")
	var before, after any
	if err := errors.Join(json.Unmarshal([]byte(want), &before), json.Unmarshal([]byte(got), &after)); err != nil || want != got {
		t.Errorf("%v\n%s\n%s", err, want, got)
	}
}

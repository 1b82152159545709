package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestShapes does the same work on each kind of Redis, by the command line alone.
func TestShapes(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T, s *site) (url string){
		"TLS and an ACL user": guardedRedis,
		"unix socket":         func(t *testing.T, _ *site) string { return redistest.Start(t).URL() },
		"cluster":             func(t *testing.T, _ *site) string { return redistest.StartCluster(t, 0).URL() },
		"sentinel":            func(t *testing.T, _ *site) string { return redistest.StartSentinel(t).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{t: t, folder: t.TempDir()}
			s.wholeJob(open(t, s))
		})
	}
}

// guardedRedis speaks TLS, and knows a user who may do what the README says and
// nothing else.
func guardedRedis(t *testing.T, s *site) string {
	t.Helper()
	certificate := smtptest.SelfSigned(t, "127.0.0.1").Certificates[0]
	s.trust(certificate.Certificate[0])
	s.write("key.pem", privateKey(t, certificate))
	port := strconv.Itoa(porttest.Addr(t).Port)
	file := func(name string) string { return filepath.Join(s.folder, name) }
	redistest.Start(
		t, redistest.Args("--bind", "127.0.0.1", "--tls-port", port, "--tls-auth-clients", "no"),
		redistest.Args("--tls-cert-file", file("roots.pem"), "--tls-key-file", file("key.pem"), "--tls-ca-cert-file", file("roots.pem")),
		redistest.Args("--user", "rohrpost", "on", ">hunter2", "~asynq:*", "~rohrpost:*", "&asynq:*", "&rohrpost:*", "+@all", "-@dangerous", "+info"),
	)
	return "rediss://rohrpost:hunter2@127.0.0.1:" + port + "/0"
}

func privateKey(t *testing.T, c tls.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// The mails of wholeJob that are more than an id.
const (
	mailWithFile  = "with-a-file"
	mailLater     = "later"
	mailCanceled  = "canceled"
	mailDeferred  = "deferred"
	mailPartly    = "partly"
	deferredOnce  = "busy@example.org"
	neverAccepted = "nobody@example.org"
)

// wholeJob has mails delivered that are plain, large, with a file, scheduled,
// canceled, deferred and refused, and looks at them from every side.
func (s *site) wholeJob(url string) {
	s.t.Helper()
	server := smtptest.Start(s.t, smtptest.Options{})
	server.Once(smtptest.Recipient(deferredOnce), smtptest.Reply(451, "4.3.0 try again"))
	server.On(smtptest.Recipient(neverAccepted), smtptest.Reply(550, "5.1.1 no such user"))
	s.write("rohrpost.yaml", fmt.Sprintf("redis: {url: %q}\nretry: {first: 1s, jitter: 0}\nlog: {level: warn}\n", url))
	s.write("accounts.yaml", fmt.Sprintf(`platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: %[1]d, encryption: none}}
tenants:
  acme: {account: {address: info@acme.example, smtp: {host: 127.0.0.1, port: %[1]d, encryption: none}}}
`, server.Port()))
	if out := s.run("", "config", "check", "--connect"); strings.Contains(out, "cannot") {
		s.t.Errorf("config check: %s", out)
	}

	file := bytes.Repeat([]byte("attached "), 20_000)
	begin := time.Now()
	messages := wholeJobMessages(file, begin)
	receipts := s.sendByCommand(messages)
	s.run("", "cancel", mailCanceled)
	w := s.worker()
	var delivered []rohrpost.Receipt
	for _, r := range receipts {
		want := rohrpost.Accepted
		switch r.ID {
		case mailCanceled:
			want = rohrpost.Canceled
		case mailPartly:
			want = rohrpost.Partly
		}
		st := s.final(r.ID)
		if st.State != want {
			s.t.Errorf("%s is %s, not %s", r.ID, st.State, want)
		}
		if r.ID != mailCanceled {
			delivered = append(delivered, r)
		}
		if (r.ID == mailDeferred) != (st.Attempts == 2) {
			s.t.Errorf("%s: %d attempts", r.ID, st.Attempts)
		}
	}
	if took := time.Since(begin); took < 3*time.Second {
		s.t.Errorf("the scheduled mail went out after %v", took)
	}
	checkOnce(s.t, delivered, server)
	s.checkMails(server.Mails(), file)
	s.checkErrors()
	if up := w.metric("rohrpost_redis_up"); up != 1 {
		s.t.Errorf("redis_up is %v", up)
	}
	for state, want := range map[string]float64{"pending": 0, "active": 0, "scheduled": 0, "retry": 0, "archived": 1} { // the mail that failed
		if n := w.metric(fmt.Sprintf("rohrpost_queue_tasks{queue=%q,state=%q}", rohrpost.Default, state)); n != want {
			s.t.Errorf("%v tasks are %s", n, state)
		}
	}
	if again := s.sendByCommand(messages[:1]); !again[0].Duplicate || again[0].ID != receipts[0].ID || !strings.Contains(again[0].MessageID, "@") {
		s.t.Errorf("the same id once more: %+v, first %+v", again[0], receipts[0])
	}
}

// wholeJobMessages are, beside the special ones, forty of two tenants in all
// queues.
func wholeJobMessages(file []byte, now time.Time) []rohrpost.Message {
	special := func(id string) rohrpost.Message {
		m := message()
		m.ID = id
		return m
	}
	with, later, canceled, deferred, partly := special(mailWithFile), special(mailLater), special(mailCanceled), special(mailDeferred), special(mailPartly)
	with.Attachments = []rohrpost.Attachment{{Name: "R-4711.pdf", Content: file}}
	with.HTML = "<p>" + strings.Repeat(fourKB, 20)
	later.NotBefore = now.Add(3 * time.Second)
	canceled.NotBefore = now.Add(time.Hour)
	deferred.To = []rohrpost.Address{{Address: deferredOnce}}
	partly.To = append(partly.To, rohrpost.Address{Address: neverAccepted})
	list := []rohrpost.Message{with, later, canceled, deferred, partly}
	for i := range 40 {
		m := message()
		m.Tenant = []string{"acme", "other"}[i%2]
		m.Priority = []rohrpost.Priority{rohrpost.Critical, rohrpost.Default, rohrpost.Bulk}[i%3]
		list = append(list, m)
	}
	return list
}

// sendByCommand is "rohrpost send --batch".
func (s *site) sendByCommand(messages []rohrpost.Message) []rohrpost.Receipt {
	s.t.Helper()
	var input bytes.Buffer
	for _, m := range messages {
		if err := json.NewEncoder(&input).Encode(m); err != nil {
			s.t.Fatal(err)
		}
	}
	var receipts []rohrpost.Receipt
	for d := json.NewDecoder(strings.NewReader(s.run(input.String(), "send", "--batch"))); d.More(); {
		var r rohrpost.Receipt
		if err := d.Decode(&r); err != nil {
			s.t.Fatal(err)
		}
		receipts = append(receipts, r)
	}
	if len(receipts) != len(messages) {
		s.t.Fatalf("%d receipts for %d mails", len(receipts), len(messages))
	}
	return receipts
}

// final is the status of a job that has ended, by "rohrpost status".
func (s *site) final(id string) (st rohrpost.Status) {
	s.t.Helper()
	waitFor(s.t, id+" has ended", func() bool {
		if err := json.Unmarshal([]byte(s.run("", "status", "--json", id)), &st); err != nil {
			s.t.Fatal(err)
		}
		return st.State.Final()
	})
	return st
}

// checkMails looks at the accounts, and at what was put aside.
func (s *site) checkMails(mails []smtptest.Mail, file []byte) {
	s.t.Helper()
	encoded := base64.StdEncoding.EncodeToString(file)
	from, files := map[string]int{}, 0
	for _, m := range mails {
		from[m.ReversePath]++
		if bytes.Contains(m.Body, []byte("R-4711.pdf")) {
			files++
			if body := bytes.ReplaceAll(m.Body, []byte("\r\n"), nil); !bytes.Contains(body, []byte(encoded)) {
				s.t.Error("the file has not arrived as it was")
			}
		}
	}
	if from["info@acme.example"] != 20 || from["noreply@platform.example"] != 24 || files != 1 {
		s.t.Errorf("reverse-paths %v, %d files", from, files)
	}
}

// checkErrors looks into the error log: one mail was deferred, one recipient
// refused.
func (s *site) checkErrors() {
	s.t.Helper()
	var jobs []string
	for _, f := range s.errors() {
		jobs = append(jobs, f.JobID)
	}
	slices.Sort(jobs)
	if want := []string{mailDeferred, mailPartly}; !slices.Equal(jobs, want) {
		s.t.Errorf("the error log has %q, not %q", jobs, want)
	}
	s.run("", "errors", "export", "--format", "jsonl", "-o", "errors.jsonl")
	if lines := strings.Count(s.read("errors.jsonl"), mailPartly); lines == 0 {
		s.t.Error("the export lacks an entry")
	}
}

package gmail_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/gmail"
)

var now = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

func token(context.Context, secret.String) (secret.String, error) { return secret.New("token"), nil }

func arm(context.Context, []int) error { return nil }

// send sends a mail of that many octets to two recipients.
func send(t *testing.T, srv *apitest.Server, size int) []transport.Verdict {
	t.Helper()
	tr, err := gmail.New(gmail.Options{HTTPClient: srv.Client(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	const header = "From: max@acme.example\r\nTo: a@x.example\r\n\r\n"
	hidden := len("Bcc: <b@x.example>\r\n")
	out, err := tr.Send(t.Context(),
		gmail.Mailbox{Account: "acme", Address: "max@acme.example", Token: token, BaseURL: srv.URL()},
		transport.Mail{
			Recipients: []string{"a@x.example", "b@x.example"},
			Body:       []byte(header + strings.Repeat("x", max(0, size-len(header)-hidden))),
		}, arm)
	if err != nil {
		t.Fatal(err)
	}
	return out.Verdicts
}

// TestErrors has the rows of providers.md §2.2, and what they leave out.
func TestErrors(t *testing.T) {
	t.Parallel()
	of := apitest.GmailError
	srv := apitest.Gmail(t, apitest.Options{})
	for _, c := range []struct {
		answer   apitest.Answer
		class    failure.Class
		category string
		after    time.Duration
	}{
		{of(400, "badRequest", "Bad Request", ""), failure.Permanent, "message_malformed", 0},
		{of(400, "invalidArgument", "Invalid MIME message", "INVALID_ARGUMENT"), failure.Permanent, "message_malformed", 0},
		{of(400, "", "Invalid MIME message", "INVALID_ARGUMENT"), failure.Permanent, "message_malformed", 0},
		{of(400, "invalidArgument", "Invalid To header", "INVALID_ARGUMENT"), failure.Permanent, "recipient_invalid", 0},
		{of(400, "invalidArgument", "Recipient address required", "INVALID_ARGUMENT"), failure.Permanent, "recipient_invalid", 0},
		{of(400, "failedPrecondition", "Mail service not enabled", "FAILED_PRECONDITION"), failure.Config, "mailbox_not_found", 0},
		{of(400, "failedPrecondition", "Precondition check failed.", "FAILED_PRECONDITION"), failure.Config, "mailbox_not_found", 0},

		{of(401, "authError", "Invalid Credentials", "UNAUTHENTICATED"), failure.Config, "oauth_expired", 0},
		{of(401, "", "Request had invalid authentication credentials.", "UNAUTHENTICATED"), failure.Config, "oauth_expired", 0},

		{of(403, "rateLimitExceeded", "Rate Limit Exceeded", "PERMISSION_DENIED"), failure.Throttle, "rate_limited", time.Minute},
		{of(403, "userRateLimitExceeded", "User Rate Limit Exceeded", ""), failure.Throttle, "rate_limited", time.Minute},
		{of(403, "quotaExceeded", "", ""), failure.Throttle, "quota_exceeded", 2 * time.Hour},
		{of(403, "dailyLimitExceeded", "Daily Limit Exceeded", ""), failure.Throttle, "quota_exceeded", 2 * time.Hour},
		{of(403, "domainPolicy", "The domain administrators have disabled Gmail apps.", ""), failure.Config, "oauth_consent", 0},
		{of(403, "accessNotConfigured", "Gmail API has not been used in project 1 before or it is disabled.", "PERMISSION_DENIED"), failure.Config, "oauth_consent", 0},
		{of(403, "insufficientPermissions", "Insufficient Permission", "PERMISSION_DENIED"), failure.Config, "oauth_consent", 0},

		{of(429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-05-01T10:15:30.250Z", "RESOURCE_EXHAUSTED"), failure.Throttle, "rate_limited", 15 * time.Minute},
		{of(429, "", "User-rate limit exceeded.  Retry after 2026-05-03T10:00:00Z (Mail sending)", "RESOURCE_EXHAUSTED"), failure.Throttle, "rate_limited", 15 * time.Minute},
		{of(429, "rateLimitExceeded", "Too many concurrent requests for user", "RESOURCE_EXHAUSTED").With("Retry-After", "5"), failure.Throttle, "rate_limited", 5 * time.Second},

		{of(500, "backendError", "Backend Error", "INTERNAL"), failure.Transient, "temporary_server", 0},
		{apitest.Reply(502, "<html>502</html>"), failure.Transient, "temporary_server", 0},
		{of(503, "backendError", "", "UNAVAILABLE"), failure.Transient, "temporary_server", 0},
		{of(504, "backendError", "", "DEADLINE_EXCEEDED"), failure.Uncertain, "delivery_uncertain", 15 * time.Minute},

		{of(413, "uploadTooLarge", "Request Entity Too Large", ""), failure.Permanent, "message_too_large", 0},
		{of(400, "neverHeardOf", "xyzzy", "NEVER_HEARD_OF"), failure.Transient, "unknown", 0},
		{apitest.Reply(400, `{"error":{"code":"x","message":7,"errors":{},"status":["x"]}}`), failure.Transient, "unknown", 0},
		{apitest.Reply(400, "<html>"), failure.Transient, "unknown", 0},
		{apitest.Reply(403, `{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"rateLimitExceeded"}]}}`), failure.Throttle, "rate_limited", time.Minute},
	} {
		srv.On(c.answer)
		verdicts := send(t, srv, 0)
		f := verdicts[0].Failure
		if f == nil || f.Stage != failure.StageAPI || f.Class != c.class || f.Category != c.category || f.RetryAfter != c.after {
			t.Errorf("%v: class %s, after %v; want %s %s after %v", f, f.Class, f.RetryAfter, c.class, c.category, c.after)
		}
		if verdicts[1].Failure != f {
			t.Errorf("%v: the second recipient has %v", f, verdicts[1].Failure)
		}
	}
}

// TestReceipt keeps the id of the mail, and needs none.
func TestReceipt(t *testing.T) {
	t.Parallel()
	srv := apitest.Gmail(t, apitest.Options{})
	if v := send(t, srv, 0)[0]; v.Failure != nil || v.Code != 200 || v.Text != "id 18c0ffee18c0ffee" {
		t.Errorf("%+v", v)
	}
	if m := srv.Mails()[0]; m.Mailbox != "me" {
		t.Errorf("sent as %q", m.Mailbox)
	}
	for _, answer := range []string{"", "{", `{"id":7}`, "<html>"} {
		srv.On(apitest.Reply(200, answer))
		if v := send(t, srv, 0)[0]; v.Failure != nil || v.Code != 200 || v.Text != "" {
			t.Errorf("%q: %+v", answer, v)
		}
	}
}

// TestSize sends 35 MB and refuses the next octet.
func TestSize(t *testing.T) {
	t.Parallel()
	srv := apitest.Gmail(t, apitest.Options{})
	if v := send(t, srv, 35<<20)[0]; v.Failure != nil || len(srv.Mails()[0].Raw) != 35<<20 {
		t.Errorf("35 MB: %v", v.Failure)
	}
	f := send(t, srv, 35<<20+1)[0].Failure
	if f == nil || f.Class != failure.Permanent || f.Category != "message_too_large" || srv.Requests() != 1 {
		t.Errorf("one more: %v after %d requests", f, srv.Requests())
	}
}

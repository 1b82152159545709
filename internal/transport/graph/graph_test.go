package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/graph"
)

var now = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

func token(context.Context, secret.String) (secret.String, error) { return secret.New("token"), nil }

func arm(context.Context, []int) error { return nil }

// send sends a mail of that many octets to two recipients from the address.
func send(t *testing.T, srv *apitest.Server, address string, size int) []transport.Verdict {
	t.Helper()
	tr, err := graph.New(graph.Options{HTTPClient: srv.Client(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	const header = "From: max@acme.example\r\nTo: a@x.example, b@x.example\r\n\r\n"
	out, err := tr.Send(t.Context(),
		graph.Mailbox{Account: "acme", Address: address, Token: token, BaseURL: srv.URL()},
		transport.Mail{
			Recipients: []string{"a@x.example", "b@x.example"},
			Body:       []byte(header + strings.Repeat("x", max(0, size-len(header)))),
		}, arm)
	if err != nil {
		t.Fatal(err)
	}
	return out.Verdicts
}

// TestErrors has the rows of providers.md §1.8, and what they leave out.
func TestErrors(t *testing.T) {
	t.Parallel()
	const html = "<html><body>Service Unavailable</body></html>"
	of := apitest.GraphError
	srv := apitest.Graph(t, apitest.Options{})
	for _, c := range []struct {
		answer   apitest.Answer
		class    failure.Class
		category string
		after    time.Duration
	}{
		{of(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."), failure.Config, "oauth_expired", 0},
		{of(401, "unauthenticated", ""), failure.Config, "oauth_expired", 0},
		{apitest.Reply(401, ""), failure.Config, "oauth_expired", 0},

		{of(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."), failure.Config, "oauth_consent", 0},
		{of(403, "Authorization_RequestDenied", ""), failure.Config, "oauth_consent", 0},
		{of(403, "accessDenied", ""), failure.Config, "oauth_consent", 0},
		{of(401, "unauthenticated", "Continuous access evaluation", "insufficient_claims"), failure.Config, "oauth_consent", 0},
		{of(403, "ErrorSendAsDenied", "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account."), failure.Config, "sender_rejected", 0},
		{of(403, "forbidden", "", "ErrorAccessDenied", "ErrorSendAsDenied"), failure.Config, "sender_rejected", 0},
		{of(403, "ErrorSendAsDenied", "", "neverHeardOf", "neverHeardOfEither"), failure.Config, "sender_rejected", 0},
		{of(403, "ErrorMessageSubmissionBlocked", ""), failure.Config, "account_blocked", 0},
		{of(403, "ErrorAccountSuspend", ""), failure.Config, "account_blocked", 0},

		{of(403, "ErrorExceededMessageLimit", ""), failure.Throttle, "quota_exceeded", time.Hour},
		{of(400, "ErrorExceededMaxRecipientLimit", ""), failure.Throttle, "quota_exceeded", time.Hour},
		{of(403, "ErrorExceededHourlyMessageLimit", ""), failure.Throttle, "quota_exceeded", time.Hour},
		{of(403, "ErrorSubmissionQuotaExceeded", ""), failure.Throttle, "quota_exceeded", time.Hour},

		{of(404, "MailboxNotEnabledForRESTAPI", ""), failure.Config, "mailbox_not_found", 0},
		{of(404, "MailboxNotSupportedForRESTAPI", ""), failure.Config, "mailbox_not_found", 0},
		{of(404, "ErrorInvalidUser", "The requested user is invalid."), failure.Config, "mailbox_not_found", 0},
		{of(404, "ResourceNotFound", ""), failure.Config, "mailbox_not_found", 0},
		{of(404, "Request_ResourceNotFound", ""), failure.Config, "mailbox_not_found", 0},
		{of(400, "BadRequest", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."), failure.Config, "mailbox_not_found", 0},
		{of(507, "ErrorQuotaExceeded", ""), failure.Config, "sender_mailbox_full", 0},
		{of(403, "ErrorQuotaExceeded", ""), failure.Config, "sender_mailbox_full", 0},
		{of(507, "quotaLimitReached", ""), failure.Config, "sender_mailbox_full", 0},

		{of(400, "ErrorInvalidRecipients", "At least one recipient is not valid."), failure.Permanent, "recipient_invalid", 0},
		{of(400, "ErrorInvalidSmtpAddress", ""), failure.Permanent, "recipient_invalid", 0},
		{of(400, "ErrorMimeContentInvalid", ""), failure.Permanent, "message_malformed", 0},
		{of(400, "ErrorMimeContentInvalidBase64String", ""), failure.Permanent, "message_malformed", 0},
		{of(400, "RequestBodyRead", ""), failure.Permanent, "message_malformed", 0},
		{of(400, "ErrorInvalidRequest", ""), failure.Permanent, "message_malformed", 0},
		{apitest.Reply(413, ""), failure.Permanent, "message_too_large", 0},
		{of(400, "ErrorMessageSizeExceeded", ""), failure.Permanent, "message_too_large", 0},
		{of(400, "ErrorAttachmentSizeLimitExceeded", ""), failure.Permanent, "message_too_large", 0},
		{of(413, "RequestEntityTooLarge", ""), failure.Permanent, "message_too_large", 0},

		{of(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.").With("Retry-After", "17"), failure.Throttle, "rate_limited", 17 * time.Second},
		{of(429, "TooManyRequests", "").With("Retry-After", now.Add(90*time.Second).Format(http.TimeFormat)), failure.Throttle, "rate_limited", 90 * time.Second},
		{of(429, "TooManyRequests", "").With("Retry-After", now.Add(-time.Hour).Format(http.TimeFormat)), failure.Throttle, "rate_limited", time.Minute},
		{of(429, "activityLimitReached", "").With("Retry-After", "99999999999"), failure.Throttle, "rate_limited", 24 * time.Hour},
		{of(429, "ErrorServerBusy", "").With("Retry-After", "soon"), failure.Throttle, "rate_limited", time.Minute},
		{apitest.Reply(429, html), failure.Throttle, "rate_limited", time.Minute},
		{of(503, "serviceNotAvailable", "").With("Retry-After", "10"), failure.Transient, "temporary_server", 10 * time.Second},
		{apitest.Reply(503, html), failure.Transient, "temporary_server", 0},
		{of(500, "ErrorInternalServerError", ""), failure.Transient, "temporary_server", 0},
		{of(500, "ErrorInternalServerTransientError", ""), failure.Transient, "temporary_server", 0},
		{of(503, "ErrorMailboxStoreUnavailable", ""), failure.Transient, "temporary_server", 0},
		{of(503, "ErrorMailboxMoveInProgress", ""), failure.Transient, "temporary_server", 0},
		{of(504, "UnknownError", ""), failure.Uncertain, "delivery_uncertain", 15 * time.Minute},
		{of(504, "serviceNotAvailable", ""), failure.Uncertain, "delivery_uncertain", 15 * time.Minute},

		{of(400, "NeverHeardOf", "xyzzy"), failure.Transient, "unknown", 0},
		{of(400, "NeverHeardOf", "xyzzy", strings.Repeat("more ", 20)), failure.Transient, "unknown", 0},
		{apitest.Reply(400, `{"error":{"code":7,"innererror":"x"}}`), failure.Transient, "unknown", 0},
		{apitest.Reply(400, `{"error":"invalid_request"}`), failure.Transient, "unknown", 0},
		{apitest.Reply(400, strings.Repeat(`{"error":{"innerError":`, 99_999)), failure.Transient, "unknown", 0},
	} {
		srv.On(c.answer)
		verdicts := send(t, srv, "max@acme.example", 0)
		f := verdicts[0].Failure
		if f == nil || f.Stage != failure.StageAPI || f.Class != c.class || f.Category != c.category || f.RetryAfter != c.after {
			t.Errorf("%v: class %s, after %v; want %s %s after %v", f, f.Class, f.RetryAfter, c.class, c.category, c.after)
		}
		if verdicts[1].Failure != f {
			t.Errorf("%v: the second recipient has %v", f, verdicts[1].Failure)
		}
	}
}

// TestDiagnostic has what support asks for, and no line end of a foreign server.
func TestDiagnostic(t *testing.T) {
	t.Parallel()
	const id = "6a3b8c5e-0c1f-4b7e-9f57-4f2d0e6f0b11"
	srv := apitest.Graph(t, apitest.Options{})
	if v := send(t, srv, "max@acme.example", 0)[0]; v.Failure != nil || v.Code != 202 || v.Text != "request-id "+id {
		t.Errorf("%+v", v)
	}
	srv.On(apitest.GraphError(403, "ErrorSendAsDenied", "max@acme.example may not\r\nsend").With("request-id", id))
	const want = "api: 403 sender_rejected: ErrorSendAsDenied: m***@acme.example may not / send / request-id " + id
	if f := send(t, srv, "max@acme.example", 0)[0].Failure; f.Error() != want {
		t.Errorf("%q, want %q", f.Error(), want)
	}
}

// TestSize sends what fits a request of 4 MB and refuses the next octet.
func TestSize(t *testing.T) {
	t.Parallel()
	srv := apitest.Graph(t, apitest.Options{})
	if v := send(t, srv, "max@acme.example", 3<<20)[0]; v.Failure != nil || len(srv.Mails()[0].Raw) != 3<<20 {
		t.Errorf("3 MiB: %v", v.Failure)
	}
	f := send(t, srv, "max@acme.example", 3<<20+1)[0].Failure
	if f == nil || f.Class != failure.Permanent || f.Category != "message_too_large" || !strings.Contains(f.Diagnostic, "3145729 octets, Microsoft Graph takes 3145728 (4 MB a request, in base64)") {
		t.Errorf("one more: %v", f)
	}
	if srv.Requests() != 1 {
		t.Errorf("%d requests", srv.Requests())
	}
}

// TestMailbox posts to the mailbox, whatever its name.
func TestMailbox(t *testing.T) {
	t.Parallel()
	srv := apitest.Graph(t, apitest.Options{})
	want := []string{"max@acme.example", "a/b@acme.example", "a?b#c%d@acme.example", "ä+b@acme.example"}
	var got []string
	for _, address := range want {
		if f := send(t, srv, address, 0)[0].Failure; f != nil {
			t.Errorf("%s: %v", address, f)
		}
	}
	for _, m := range srv.Mails() {
		got = append(got, m.Mailbox)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func ExampleNew() {
	t, err := graph.New(graph.Options{Timeout: time.Minute})
	if err != nil {
		panic(err)
	}
	out, err := t.Send(context.Background(), graph.Mailbox{Address: "max@acme.example"}, transport.Mail{Recipients: []string{"a@x.example"}}, arm)
	fmt.Println(out.Verdicts[0].Failure.Category, err)
	// Output: config_invalid <nil>
}

package apitest_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/apitest"
)

const mail = "From: m@x.example\r\nTo: A <a@x.example>\r\nCc: b@x.example\r\nBcc: c@x.example, a@x.example\r\n\r\nHello.\r\n"

const (
	graphPath = "/users/m@x.example/sendMail"
	gmailPath = "/upload/gmail/v1/users/me/messages/send?uploadType=media"
)

// post answers with the status and the body, or with "broken".
func post(t *testing.T, srv *apitest.Server, path, contentType, token, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := srv.Client().Do(r)
	if err != nil {
		return 0, "broken"
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, "broken"
	}
	return resp.StatusCode, string(b)
}

// TestUsual is what the servers do when they are left alone.
func TestUsual(t *testing.T) {
	t.Parallel()
	encoded := base64.StdEncoding.EncodeToString([]byte(mail))
	for _, http1 := range []bool{false, true} {
		o := apitest.Options{HTTP1: http1, Token: func(token string) bool { return token == "good" }}
		graph, gmail := apitest.Graph(t, o), apitest.Gmail(t, o)
		for _, c := range []struct {
			name                           string
			srv                            *apitest.Server
			path, contentType, token, body string
			status                         int
			answer                         string
		}{
			{"good", graph, graphPath, "text/plain", "good", encoded, 202, ""},
			{"good", gmail, gmailPath, "message/rfc822", "good", mail, 200, `"id":"`},
			{"bad token", graph, graphPath, "text/plain", "bad", encoded, 401, "InvalidAuthenticationToken"},
			{"bad token", gmail, gmailPath, "message/rfc822", "bad", mail, 401, "authError"},
			{"no base64", graph, graphPath, "text/plain", "good", mail, 400, "ErrorMimeContentInvalidBase64String"},
			{"no recipients", graph, graphPath, "text/plain", "good", "DQo=", 400, "ErrorInvalidRecipients"},
			{"no recipients", gmail, gmailPath, "message/rfc822", "good", "\r\n", 400, "Recipient address required"},
			{"too large", graph, graphPath, "text/plain", "good", strings.Repeat("A", 4<<20+1), 413, "RequestEntityTooLarge"},
			{"another type", gmail, gmailPath, "application/json", "good", mail, 415, ""},
			{"another path", graph, "/me/sendMail", "text/plain", "good", encoded, 404, ""},
		} {
			status, answer := post(t, c.srv, c.path, c.contentType, c.token, c.body)
			if status != c.status || !strings.Contains(answer, c.answer) {
				t.Errorf("%s: %d %s, want %d %s", c.name, status, answer, c.status, c.answer)
			}
		}
		for mailbox, srv := range map[string]*apitest.Server{"m@x.example": graph, "me": gmail} {
			want := []apitest.Mail{{Mailbox: mailbox, To: []string{"a@x.example"}, Cc: []string{"b@x.example"}, Bcc: []string{"c@x.example", "a@x.example"}, Raw: []byte(mail)}}
			if diff := cmp.Diff(want, srv.Mails()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"a@x.example", "b@x.example", "c@x.example"}, srv.Mails()[0].Recipients()); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	for _, http1 := range []bool{false, true} {
		srv := apitest.Gmail(t, apitest.Options{HTTP1: http1})
		order := ""
		srv.On(apitest.Reply(418, "always"))
		srv.Once(
			apitest.GraphError(403, "outer", "no", "middle", "inner"),
			apitest.GmailError(429, "rateLimitExceeded", "slow", "RESOURCE_EXHAUSTED"),
			apitest.Reply(200, "0123456789").ThenCut().Taking(),
			apitest.Cut().Taking(),
			apitest.Cut().Early().Taking().Doing(func() { order += "early" }),
		)
		for i, want := range []struct {
			status int
			answer string
			mails  int
		}{
			{403, `{"error":{"code":"outer","message":"no","innerError":{"code":"middle","innerError":{"code":"inner"}}}}`, 0},
			{429, `{"error":{"code":429,"errors":[{"domain":"global","message":"slow","reason":"rateLimitExceeded"}],"message":"slow","status":"RESOURCE_EXHAUSTED"}}`, 0},
			{200, "broken", 1},
			{0, "broken", 2},
			{0, "broken", 2},
			{418, "always", 2},
		} {
			status, answer := post(t, srv, gmailPath, "message/rfc822", "x", mail)
			if status != want.status || answer != want.answer || len(srv.Mails()) != want.mails {
				t.Errorf("%d: %d %s, %d mails; want %+v", i, status, answer, len(srv.Mails()), want)
			}
		}
		if order != "early" || srv.Requests() != 6 {
			t.Errorf("%q after %d requests", order, srv.Requests())
		}
	}
}

// TestSilence ends when the server is closed.
func TestSilence(t *testing.T) {
	t.Parallel()
	for _, a := range []apitest.Answer{apitest.Silence(), apitest.Silence().Early()} {
		srv := apitest.Graph(t, apitest.Options{HTTP1: true})
		asked := make(chan struct{})
		srv.On(a.Doing(func() { close(asked) }))
		go func() {
			<-asked
			srv.Close()
		}()
		if _, answer := post(t, srv, graphPath, "text/plain", "x", ""); answer != "broken" {
			t.Errorf("answered %q", answer)
		}
	}
}

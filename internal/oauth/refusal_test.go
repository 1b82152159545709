package oauth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		answer   oauthtest.Answer
		class    failure.Class
		category string
		says     string
	}{
		{"expired", oauthtest.Microsoft(400, "invalid_grant", "The refresh token has expired due to inactivity.", 700082), failure.Config, "oauth_expired", "AADSTS700082"},
		{"second factor", oauthtest.Microsoft(400, "interaction_required", "You must use multi-factor authentication.", 50076), failure.Config, "oauth_interaction", "AADSTS50076"},
		{"number beside the text", oauthtest.JSON(400, `{"error":"invalid_grant","error_description":"No words.","error_codes":[65001],"trace_id":"9e1a4a3c-0000-4000-8000-000000000009"}`), failure.Config, "oauth_consent", "Trace ID: 9e1a4a3c-0000-4000-8000-000000000009"},
		{"number as text", oauthtest.JSON(400, `{"error":"invalid_grant","error_codes":["53003"],"suberror":"basic_action"}`), failure.Config, "oauth_interaction", "basic_action"},
		{"a number that nobody knows", oauthtest.Microsoft(400, "invalid_grant", "New.", 999999), failure.Config, "oauth_expired", "AADSTS999999"},
		{"client secret", oauthtest.Microsoft(401, "invalid_client", "The provided client secret keys are expired.", 7000222), failure.Config, "oauth_client", ""},
		{"loop", oauthtest.Microsoft(400, "invalid_request", "Client request loop.", 50196), failure.Throttle, "rate_limited", ""},
		{"rapt", oauthtest.Google(400, "invalid_grant", "reauth related error", "invalid_rapt"), failure.Config, "oauth_interaction", "invalid_rapt"},
		{"google", oauthtest.Google(400, "invalid_grant", "Token has been expired or revoked.", ""), failure.Config, "oauth_expired", "revoked"},
		{"delegation", oauthtest.Google(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method", ""), failure.Config, "oauth_client", ""},
		{"200 with an error", oauthtest.JSON(200, `{"error":"temporarily_unavailable"}`), failure.Transient, "oauth_temporary", ""},
		{"500", oauthtest.Raw(500, "<html>secret page</html>"), failure.Transient, "oauth_temporary", "Internal Server Error"},
		{"429", oauthtest.Raw(429, ""), failure.Throttle, "rate_limited", ""},
		{"no token", oauthtest.JSON(200, `{}`), failure.Transient, "unknown", "holds no token"},
		{"no JSON", oauthtest.Raw(200, "<html>"), failure.Transient, "unknown", "holds no token"},
		{"a token of two lines", oauthtest.JSON(200, `{"access_token":"a\r\nMAIL FROM:<x@y.example>","expires_in":3600}`), failure.Transient, "unknown", "holds no token"},
		{"too long", oauthtest.JSON(200, `{"x":"`+strings.Repeat("x", 2<<20)+`","access_token":"a"}`), failure.Transient, "unknown", "holds no token"},
		{"cut", oauthtest.Cut(), failure.Transient, "connection_lost", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, oauthtest.Options{})
			b.srv.On(tt.answer)
			f := b.bad(b.process(), b.delegated(), "")
			checkFailure(t, f, tt.class, tt.category)
			if !strings.Contains(f.Diagnostic, tt.says) || strings.Contains(f.Diagnostic, "secret page") {
				t.Errorf("diagnostic %q, want %q in it", f.Diagnostic, tt.says)
			}
			b.requests(1)
		})
	}
}

// A token endpoint that sends elsewhere would have others read the refresh token.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	b, other := newBench(t, oauthtest.Options{}), oauthtest.Start(t, oauthtest.Options{})
	b.srv.On(oauthtest.Redirect(other.TokenURL()))
	checkFailure(t, b.bad(b.process(), b.delegated(), ""), failure.Transient, "unknown")
	if other.Count("") != 0 {
		t.Error("the redirect was followed")
	}
}

func TestSilentProvider(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	b.srv.On(oauthtest.Silence())
	f := b.bad(b.process(func(o *oauth.Options) { o.Timeout = 2 * time.Second }), b.delegated(), "")
	checkFailure(t, f, failure.Transient, "timeout")
}

// The library asks for a service account without a context.
func TestSilentProviderOfServiceAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	b.srv.On(oauthtest.Silence())
	c := oauth.Credentials{Provider: oauth.Google, Subject: "max@acme.example", ServiceAccountKey: secret.New(b.srv.ServiceAccountKey()), TokenURL: b.srv.TokenURL()}
	f := b.bad(b.process(func(o *oauth.Options) { o.Timeout = 2 * time.Second }), c, "")
	checkFailure(t, f, failure.Transient, "timeout")
	b.requests(1)
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{TLS: true})
	c := b.delegated()
	b.good(b.process(), c, "")
	c.Account = "acme/eva"
	f := b.bad(b.process(func(o *oauth.Options) { o.HTTPClient = nil }), c, "")
	if f.Category != "certificate_invalid" {
		t.Errorf("category %s: %v", f.Category, f)
	}
}

func TestSettingsAreIncomplete(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	c.ClientID = ""
	checkFailure(t, b.bad(b.process(), c, ""), failure.Config, "config_invalid")

	c = b.delegated()
	f := b.bad(b.process(func(o *oauth.Options) { o.Box = &seal.Box{} }), c, "")
	checkFailure(t, f, failure.Config, "config_invalid")
	if !errors.Is(f, seal.ErrNoRecipient) {
		t.Errorf("error %v", f)
	}

	c = oauth.Credentials{
		Provider: oauth.Google, Subject: "max@acme.example", TokenURL: b.srv.TokenURL(),
		ServiceAccountKey: secret.New(keyFile), // its key is none
	}
	checkFailure(t, b.bad(b.process(), c, ""), failure.Config, "config_invalid")
	b.requests(0)
}

// A caller must be able to compare the error with nil.
func TestNoErrorIsNil(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	if _, err := b.process().Token(t.Context(), b.delegated(), secret.String{}); err != nil {
		t.Errorf("error %#v", err)
	}
}

// Every secret goes through every failing path, and is found nowhere.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{ClientSecret: "canary-1"})
	canaries := []string{"canary-1", "canary-2", "canary-3"}
	echo := "client_secret canary-1 and refresh_token canary-2"
	answers := []oauthtest.Answer{
		oauthtest.Microsoft(400, "invalid_grant", echo, 700082), oauthtest.Google(401, "invalid_client", echo, "canary-2"),
		oauthtest.JSON(400, `{"error":"canary-1","trace_id":"canary-2"}`), oauthtest.Raw(500, echo), oauthtest.Raw(200, echo), oauthtest.JSON(200, `{"access_token":"canary-3\n"}`),
		oauthtest.Redirect("https://canary-1.example/canary-2"), oauthtest.Cut(), oauthtest.JSON(429, `{"error":"canary-2"}`),
	}
	for i, a := range answers {
		c := b.delegated()
		c.Account, c.ClientSecret, c.RefreshToken = fmt.Sprint("acme/", i), secret.New("canary-1"), secret.New("canary-2")
		b.srv.Once(a)
		f := b.bad(b.process(), c, "canary-3")
		var chain strings.Builder
		for err := error(f); err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&chain, "%v %+v %#v\n", err, err, err)
		}
		for _, s := range canaries {
			if strings.Contains(chain.String(), s) {
				t.Errorf("answer %d: the error shows %s: %s", i, s, chain.String())
			}
		}
	}
	for _, s := range canaries {
		if strings.Contains(b.log.String(), s) || strings.Contains(b.everything(), s) {
			t.Errorf("log or Redis show %s: %s", s, b.log)
		}
	}
	if !strings.Contains(b.log.String(), `"account":"acme/0"`) {
		t.Errorf("nothing is logged: %s", b.log)
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	t.Run("client credentials", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, oauthtest.Options{ClientSecret: "s", Scope: "https://outlook.office365.com/.default"})
		c := oauth.Credentials{Account: "a", Provider: oauth.Microsoft, Directory: "acme.example", ClientID: "client-1", ClientSecret: secret.New("s"), TokenURL: b.srv.TokenURL()}
		p := b.process()
		first := b.good(p, c, "")
		c.Account = "b"
		if b.good(p, c, "") != first {
			t.Error("another mailbox of the application: another token")
		}
		b.pass(2 * time.Hour)
		if b.good(p, c, "") == first || b.srv.Count("client_credentials") != 2 {
			t.Error("no new token")
		}
		for _, key := range b.rdb.Keys(t.Context(), "*").Val() {
			if ttl := b.rdb.TTL(t.Context(), key).Val(); ttl > 26*time.Hour {
				t.Errorf("%s is kept for %s", key, ttl)
			}
		}
		c.ClientSecret = secret.New("wrong")
		checkFailure(t, b.bad(p, c, ""), failure.Config, "oauth_client")
	})
	t.Run("service account", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, oauthtest.Options{Scope: "https://www.googleapis.com/auth/gmail.send"})
		c := oauth.Credentials{Provider: oauth.Google, Subject: "eva@acme.example", Transport: oauth.GmailAPI, ServiceAccountKey: secret.New(b.srv.ServiceAccountKey()), TokenURL: b.srv.TokenURL()}
		p := b.process()
		if got := b.srv.Mailbox(b.good(p, c, "")); got != "eva@acme.example" {
			t.Errorf("a token for %q", got)
		}
		if b.srv.Count("urn:ietf:params:oauth:grant-type:jwt-bearer") != 1 {
			t.Errorf("requests %+v", b.srv.Requests())
		}
		b.srv.Once(oauthtest.JSON(200, `{"expires_in":3600}`))
		c.Subject = "max@acme.example"
		checkFailure(t, b.bad(p, c, ""), failure.Transient, "unknown")
		b.srv.Once(oauthtest.Google(400, "invalid_grant", "Invalid email or User ID", ""))
		c.Subject = "nobody@acme.example"
		checkFailure(t, b.bad(p, c, ""), failure.Config, "mailbox_not_found")
	})
	t.Run("refresh token, Microsoft", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, oauthtest.Options{Scope: "https://graph.microsoft.com/Mail.Send"})
		c := b.delegated()
		c.Transport = oauth.Graph
		b.good(b.process(), c, "")
		if got := b.srv.Requests()[0].Scope; got != "https://graph.microsoft.com/Mail.Send offline_access" {
			t.Errorf("scope %q", got)
		}
	})
	t.Run("refresh token, Google", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, oauthtest.Options{})
		c := b.delegated()
		c.Provider = oauth.Google
		b.good(b.process(), c, "")
		if got := b.srv.Requests()[0].Scope; got != "" {
			t.Errorf("scope %q", got)
		}
	})
}

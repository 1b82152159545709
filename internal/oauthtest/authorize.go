package oauthtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// A code waits to be redeemed.
type code struct{ challenge, redirect, scope, mailbox, nonce string }

// SignIn names the mailbox that signs in from now on. The default is
// max@acme.example.
func (s *Server) SignIn(mailbox string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mailbox = mailbox
}

// Deny makes the sign-in page send the browser back with this error
// ("access_denied", with more parameters after an &); "": it agrees again.
func (s *Server) Deny(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denial = code
}

// Untick grants this scope whatever was asked for, and a refresh token or none.
func (s *Server) Untick(scope string, refresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scope, s.noRefresh = scope, !refresh
}

// authorize is the sign-in page of somebody who agrees at once (RFC 6749
// §4.1.1, RFC 7636 §4.3).
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case err != nil || back.Host == "":
		http.Error(w, "redirect_uri", http.StatusBadRequest)
		return
	case q.Get("client_id") != s.options.ClientID, q.Get("response_type") != "code", q.Get("state") == "",
		q.Get("code_challenge_method") != "S256", len(q.Get("code_challenge")) != 43, q.Get("scope") == "":
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := url.Values{"state": {q.Get("state")}}
	if s.denial != "" {
		code, more, _ := strings.Cut(s.denial, "&")
		answer.Set("error", code)
		answer.Set("error_description", "<script>alert(1)</script> "+more)
	} else {
		c := rand.Text()
		s.codes[c] = code{challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri"), scope: q.Get("scope"), mailbox: s.mailbox, nonce: q.Get("nonce")}
		answer.Set("code", c)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //nolint:gosec // that is what the page is for
}

// redeemLocked gives tokens for a code, once.
func (s *Server) redeemLocked(form url.Values, out issued) (issued, Answer) {
	c, ok := s.codes[form.Get("code")]
	delete(s.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if !ok || c.redirect != form.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge {
		return issued{}, Google(http.StatusBadRequest, "invalid_grant", "Malformed auth code.", "")
	}
	out.AccessToken, out.Scope = s.newAccessLocked(c.mailbox), c.scope
	if s.scope != "" {
		out.Scope = s.scope
	}
	if !s.noRefresh {
		out.RefreshToken = s.newRefreshLocked(c.mailbox)
	}
	if strings.Contains(" "+c.scope+" ", " openid ") {
		out.IDToken = s.idTokenLocked(c)
	}
	return out, Answer{}
}

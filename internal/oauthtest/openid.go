package oauthtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"time"
)

// Issuer is the URL of the server as an OpenID Connect provider: it tells its endpoints,
// and signs ID tokens by RS256.
func (s *Server) Issuer() string { return s.http.URL }

// Claim puts claims into each ID token from now on, in place of the usual ones; a nil
// value leaves one out.
func (s *Server) Claim(claims map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = claims
}

// discovery is what the provider tells of itself (OpenID Connect Discovery 1.0 §4).
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer": s.Issuer(), "authorization_endpoint": s.AuthURL(), "token_endpoint": s.TokenURL(), "jwks_uri": s.Issuer() + "/jwks",
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

// jwks is the key of the ID tokens (RFC 7517).
func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	public := s.key().PublicKey
	text := base64.RawURLEncoding.EncodeToString
	writeJSON(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "kid": keyID, "alg": "RS256", "use": "sig", "n": text(public.N.Bytes()), "e": text(big.NewInt(int64(public.E)).Bytes()),
	}}})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

// idTokenLocked is the ID token of whoever has signed in.
func (s *Server) idTokenLocked(c code) string {
	claims := map[string]any{
		"iss": s.Issuer(), "aud": s.options.ClientID, "sub": c.mailbox, "exp": time.Now().Add(s.options.Lifetime).Unix(), "iat": time.Now().Unix(),
		"email": c.mailbox, "email_verified": true,
	}
	if c.nonce != "" {
		claims["nonce"] = c.nonce
	}
	maps.Copy(claims, s.claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"`+keyID+`"}`)) + "." + base64.RawURLEncoding.EncodeToString(b)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

package oauthtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer" //nolint:gosec // a name, no secret

// issued is a usual answer (RFC 6749 §5.1).
type issued struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	form := r.PostForm
	s.mu.Lock()
	s.requests = append(s.requests, Request{Grant: form.Get("grant_type"), Scope: form.Get("scope"), Token: form.Get("refresh_token")})
	s.mu.Unlock()
	a := s.pick()
	if a.do != nil {
		a.do()
	}
	if a.usual() || a.issue {
		out, refused := s.issue(form)
		if a.usual() {
			if refused.status != 0 {
				write(w, refused)
				return
			}
			b, _ := json.Marshal(out) //nolint:gosec // tokens of a test
			write(w, JSON(http.StatusOK, string(b)))
			return
		}
	}
	switch {
	case a.silent:
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
		panic(http.ErrAbortHandler)
	case a.cut:
		panic(http.ErrAbortHandler)
	}
	write(w, a)
}

func write(w http.ResponseWriter, a Answer) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// issue gives a token, or the refusal of a provider.
func (s *Server) issue(form url.Values) (issued, Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scope := form.Get("scope")
	out := issued{TokenType: "Bearer", ExpiresIn: int(s.options.Lifetime / time.Second), Scope: scope}
	no := func(status int, code, description string) (issued, Answer) {
		return issued{}, Google(status, code, description, "")
	}
	grant := form.Get("grant_type")
	if grant != jwtBearer && (form.Get("client_id") != s.options.ClientID || form.Get("client_secret") != s.options.ClientSecret) {
		return no(http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
	}
	if s.options.Scope != "" && scope != "" && !strings.Contains(" "+scope+" ", " "+s.options.Scope+" ") {
		return no(http.StatusBadRequest, "invalid_scope", "Some requested scopes were invalid.")
	}
	switch grant {
	case "refresh_token":
		old := form.Get("refresh_token")
		mailbox, ok := s.refresh[old]
		if !ok {
			return no(http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked.")
		}
		out.AccessToken = s.newAccessLocked(mailbox)
		if s.options.Rotate {
			out.RefreshToken = s.newRefreshLocked(mailbox)
		}
		if s.options.Strict {
			delete(s.refresh, old)
		}
	case "authorization_code":
		return s.redeemLocked(form, out)
	case "client_credentials":
		if s.options.ClientSecret == "" {
			return no(http.StatusUnauthorized, "invalid_client", "The client is public.")
		}
		out.AccessToken = s.newAccessLocked("")
	case jwtBearer:
		subject, problem := s.assertion(form.Get("assertion"))
		if problem != "" {
			return no(http.StatusBadRequest, "invalid_grant", problem)
		}
		out.AccessToken = s.newAccessLocked(subject)
	default:
		return no(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: "+grant)
	}
	return out, Answer{}
}

// assertion checks the JWT of a service account (RFC 7523 §3) and gives its
// subject.
func (s *Server) assertion(jwt string) (subject, problem string) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "", "Invalid JWT: Failed audience check."
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&s.key().PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return "", "Invalid JWT Signature."
	}
	var header struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}
	var claims struct {
		Iss, Sub, Scope, Aud string
		Iat, Exp             int64
	}
	if !decode(parts[0], &header) || !decode(parts[1], &claims) || header.Alg != "RS256" || header.Kid != keyID {
		return "", "Invalid JWT: not readable."
	}
	now := time.Now().Unix()
	switch {
	case claims.Iss != ServiceEmail || claims.Sub == "":
		return "", "Invalid email or User ID"
	case claims.Aud != s.TokenURL():
		return "", "Invalid JWT: Failed audience check."
	case claims.Scope == "" || s.options.Scope != "" && claims.Scope != s.options.Scope:
		return "", "invalid_scope"
	case claims.Iat > now+60 || claims.Exp <= now || claims.Exp-claims.Iat > 3600+60:
		return "", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	}
	return claims.Sub, ""
}

func decode(part string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

package oauth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/mail"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/internal/secret"
)

// mailbox reads the mailbox from an ID token; "": it names none. The token came
// from the token endpoint over TLS: its signature need not be checked (OpenID
// Connect Core §3.1.3.7, 6), its audience must be this client.
func mailbox(idToken secret.String, clientID string) string {
	parts := strings.Split(idToken.Reveal(), ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return ""
	}
	var claims struct {
		Audience audience `json:"aud"`
		Email    string   `json:"email"`
		Verified *bool    `json:"email_verified"`     // Google
		Username string   `json:"preferred_username"` // Microsoft: often, not always, an address
		UPN      string   `json:"upn"`
	}
	if json.Unmarshal(payload, &claims) != nil || !slices.Contains(claims.Audience, clientID) {
		return ""
	}
	if claims.Verified != nil && !*claims.Verified {
		claims.Email = ""
	}
	for _, s := range []string{claims.Email, claims.Username, claims.UPN} {
		if a, err := mail.ParseAddress(s); err == nil && a.Address == s {
			return s
		}
	}
	return ""
}

// An audience is one string or several.
type audience []string

// UnmarshalJSON reads both forms.
func (a *audience) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`[`)) {
		return json.Unmarshal(b, (*[]string)(a))
	}
	*a = audience{""}
	return json.Unmarshal(b, &(*a)[0])
}

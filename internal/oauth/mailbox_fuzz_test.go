package oauth

import (
	"encoding/base64"
	"net/mail"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
)

func unsigned(claims string) secret.String {
	return secret.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln")
}

func FuzzMailbox(f *testing.F) {
	f.Add(`{"aud":"c","email":"max@acme.example"}`)
	f.Add(`{"aud":["c"],"upn":"max@acme.example"}`)
	f.Add(`{"aud":[],"upn":null}`)
	f.Fuzz(func(t *testing.T, claims string) {
		m := mailbox(unsigned(claims), "c")
		if m == "" {
			return
		}
		if a, err := mail.ParseAddress(m); err != nil || a.Address != m {
			t.Errorf("%q is no address", m)
		}
	})
}

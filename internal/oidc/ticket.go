package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// mostNext bounds what Begin is given, in bytes: browsers drop a cookie of more than 4096.
const mostNext = 2048

// A ticket is a sign-in that has begun, as the browser keeps it: a secret, of which state,
// nonce and verifier (RFC 7636 §4.1) are hashes, and what Begin was given.
type ticket struct{ secret, next string }

func newTicket(next string) ticket {
	if len(next) > mostNext {
		next = ""
	}
	return ticket{rand.Text(), next}
}

func (t ticket) String() string {
	return t.secret + "." + base64.RawURLEncoding.EncodeToString([]byte(t.next))
}

// parseTicket reads the text of a ticket. What is none belongs to no state.
func parseTicket(text string) (ticket, bool) {
	secret, rest, _ := strings.Cut(text, ".")
	next, err := base64.RawURLEncoding.DecodeString(rest)
	return ticket{secret, string(next)}, err == nil && len(secret) == len(rand.Text())
}

// hash is 43 characters that tell nothing of the secret.
func (t ticket) hash(purpose string) string {
	mac := hmac.New(sha256.New, []byte(t.secret))
	mac.Write([]byte("rohrpost oidc " + purpose)) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (t ticket) state() string    { return t.hash("state") }
func (t ticket) nonce() string    { return t.hash("nonce") }
func (t ticket) verifier() string { return t.hash("verifier") }

// Began reports whether a state that came back is that of the sign-in which the browser
// with this ticket has begun: else somebody could have another person complete theirs.
func Began(ticket, state string) bool {
	t, ok := parseTicket(ticket)
	return ok && subtle.ConstantTimeCompare([]byte(t.state()), []byte(state)) == 1
}

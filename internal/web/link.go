package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// sessionLife is how long a browser may go on without the link.
	sessionLife   = 12 * time.Hour
	sessionCookie = "rohrpost-session"
	session       = "session" // the purpose of its stamp
	// tokenParameter is how the link carries the token.
	tokenParameter = "token"
)

// A link lets in whoever was given it. Its token is made anew by each process, as
// is the key of the cookies that it is exchanged for.
type link struct {
	token string
	key   []byte
}

func newLink() *link {
	l := &link{token: rand.Text(), key: make([]byte, sha256.Size)} // 130 bits
	_, _ = rand.Read(l.key)                                        // never fails
	return l
}

// at is the link to a page: base is "http://127.0.0.1:8080/errors".
func (l *link) at(base string) string {
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	return base + separator + url.Values{tokenParameter: {l.token}}.Encode()
}

func (l *link) is(token string) bool { return sameToken(l.token, token) }

// sameToken compares in a time that tells nothing. An empty want is nobody's.
func sameToken(want, got string) bool {
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return want != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// knows reports whether the browser was let in before.
func (l *link) knows(r *http.Request, now time.Time) bool {
	_, ok := stampedCookie(r, sessionCookie, l.key, session, now)
	return ok
}

// open sets the cookie and leads to the same page without the token, so that it
// stands in no history and no Referer.
func (l *link) open(w http.ResponseWriter, r *http.Request, now time.Time) {
	setCookie(w, r, sessionCookie, stamp(l.key, session, now.Add(sessionLife)), sessionLife)
	query := r.URL.Query()
	query.Del(tokenParameter)
	clean := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: query.Encode()}
	http.Redirect(w, r, clean.String(), http.StatusSeeOther)
}

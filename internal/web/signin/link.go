package signin

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
	// linkLife is how long a browser may go on without the link.
	linkLife = 12 * time.Hour
	// linkPurpose is that of the stamp in its cookie.
	linkPurpose = "session"
	// tokenParameter is how the link carries the token.
	tokenParameter = "token"
)

// A link lets in whoever was given it. Its token is made anew by each process, as
// is the key of the cookies that it is exchanged for.
type link struct {
	token   string
	key     []byte
	cookies Cookies
}

func newLink(c Cookies) *link {
	l := &link{token: rand.Text(), key: make([]byte, sha256.Size), cookies: c} // 130 bits
	_, _ = rand.Read(l.key)                                                    // never fails
	return l
}

// at is the link to a page: base is "http://127.0.0.1:8080/problems".
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
	_, ok := stampedCookie(r, l.cookies.sessionName(r), l.key, linkPurpose, now)
	return ok
}

// open sets the cookie and leads to the same page without the token, so that it
// stands in no history and no Referer.
func (l *link) open(w http.ResponseWriter, r *http.Request, now time.Time) {
	l.cookies.setSession(w, r, stamp(l.key, linkPurpose, now.Add(linkLife)), linkLife)
	query := r.URL.Query()
	query.Del(tokenParameter)
	// The path is that below the base path. One that begins with two slashes would lead
	// to another host.
	clean := url.URL{Path: l.cookies.BasePath + "/" + strings.TrimLeft(r.URL.Path, "/"), RawQuery: query.Encode()}
	http.Redirect(w, r, clean.String(), http.StatusSeeOther)
}

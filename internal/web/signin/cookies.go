package signin

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// gone is the life of a cookie that is taken away.
const gone = -time.Second

// Cookies say how the pages set theirs.
type Cookies struct {
	BasePath string // below which the pages stand, "/mail"; may be empty
	TLS      bool   // browsers always come by TLS; else each request says so
	Embedded bool   // the pages may stand in a frame of another site
}

// name has the port that the browser asked for, and the base path: cookies do not know
// ports, and two installations of one host are to leave each other's alone.
func (c Cookies) name(r *http.Request, name string) string {
	name += strings.ReplaceAll(c.BasePath, "/", "-")
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" {
		return name + "-" + port
	}
	return name
}

func (c Cookies) secure(r *http.Request) bool { return c.TLS || OverTLS(r) }

// cookie is one that no script reads.
func (c Cookies) cookie(r *http.Request, name, value string, life time.Duration, same http.SameSite) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // without TLS a browser would not keep a Secure one
		Name: c.name(r, name), Value: value, Path: c.BasePath + "/", MaxAge: int(life.Seconds()),
		Secure: c.secure(r), HttpOnly: true, SameSite: same,
	}
}

// Set sets a cookie that comes along when somebody follows a link from another site,
// and not with what other sites post. In a frame of another site it is kept apart, for
// that site alone (Partitioned).
func (c Cookies) Set(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	http.SetCookie(w, c.embedded(r, c.cookie(r, name, value, life, http.SameSiteLaxMode)))
}

// Get is the value of a cookie that Set has set, "" if there is none.
func (c Cookies) Get(r *http.Request, name string) string {
	if cookie, err := r.Cookie(c.name(r, name)); err == nil {
		return cookie.Value
	}
	return ""
}

func (c Cookies) embedded(r *http.Request, cookie *http.Cookie) *http.Cookie { //nolint:gosec // it is Secure, and kept apart for each site
	if c.Embedded && c.secure(r) {
		cookie.SameSite, cookie.Partitioned = http.SameSiteNoneMode, true
	}
	return cookie
}

// setStrict sets one that comes along with nothing that another site has begun.
func (c Cookies) setStrict(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	http.SetCookie(w, c.cookie(r, name, value, life, http.SameSiteStrictMode))
}

const (
	sessionCookie = "rohrpost-session"
	// hostOnly makes browsers refuse a cookie that another host of the same domain has
	// set. It wants the path of the whole host.
	hostOnly = "__Host-"
)

func (c Cookies) sessionName(r *http.Request) string {
	if c.secure(r) {
		return hostOnly + c.name(r, sessionCookie)
	}
	return c.name(r, sessionCookie)
}

// setSession sets the cookie by which a browser is known; gone takes it away.
func (c Cookies) setSession(w http.ResponseWriter, r *http.Request, value string, life time.Duration) {
	cookie := c.cookie(r, sessionCookie, value, life, http.SameSiteLaxMode) //nolint:gosec // without TLS a browser would not keep a Secure one
	if cookie.Name = c.sessionName(r); cookie.Secure {
		cookie.Path = "/"
	}
	http.SetCookie(w, c.embedded(r, cookie))
}

// session is the value of that cookie, "" if there is none.
func (c Cookies) session(r *http.Request) string {
	if cookie, err := r.Cookie(c.sessionName(r)); err == nil {
		return cookie.Value
	}
	return ""
}

package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/http"
	"time"
)

// stampSize is a time in Unix seconds and an HMAC.
const stampSize = 8 + sha256.Size

// stamp is the value of a cookie that nobody else can make: when it ends, and an
// HMAC under key of that and of its purpose. Nothing has to be kept to know it again.
func stamp(key []byte, purpose string, until time.Time) string {
	value := binary.BigEndian.AppendUint64(make([]byte, 0, stampSize), uint64(until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(value, sealOf(key, purpose, value)...))
}

// stamped reports whether stamp made the value for this purpose, and its time has
// not come.
func stamped(key []byte, purpose, value string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) != stampSize {
		return false
	}
	until, seal := raw[:8], raw[8:]
	return hmac.Equal(seal, sealOf(key, purpose, until)) && now.Unix() < int64(binary.BigEndian.Uint64(until))
}

func sealOf(key []byte, purpose string, until []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write(until)
	return h.Sum(nil)
}

// cookieName has the port that the browser asked for: cookies do not know ports,
// and two processes of one machine are to leave each other's alone.
func cookieName(r *http.Request, name string) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" {
		return name + "-" + port
	}
	return name
}

// setCookie sets one that no script reads and no other site makes the browser send.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // without TLS a browser would not keep a Secure one
		Name: cookieName(r, name), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: overTLS(r), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// stampedCookie is the first cookie of a name that stamp made for this purpose.
func stampedCookie(r *http.Request, name string, key []byte, purpose string, now time.Time) (value string, ok bool) {
	for _, c := range r.CookiesNamed(cookieName(r, name)) {
		if stamped(key, purpose, c.Value, now) {
			return c.Value, true
		}
	}
	return "", false
}

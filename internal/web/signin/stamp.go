package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
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

// stampedCookie is the first cookie of a name that stamp made for this purpose.
func stampedCookie(r *http.Request, name string, key []byte, purpose string, now time.Time) (value string, ok bool) {
	for _, c := range r.CookiesNamed(name) {
		if stamped(key, purpose, c.Value, now) {
			return c.Value, true
		}
	}
	return "", false
}

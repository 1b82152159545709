package payload

import (
	"net/url"
	"strings"
)

// A Key names a job in Redis: its asynq task and its record in the ledger. An id
// belongs to its tenant, so the key of a tenant's job is "<id>,<tenant>". That of the
// platform's jobs is the id alone, and so is that of the jobs which versions before
// payload 2 have enqueued, for any tenant.
//
// No id holds a comma or an exclamation mark, which stands for its slashes: a key is one
// segment of a path (RFC 3986 §3.3), also for asynqmon, which escapes nothing and reads a
// percent sign. Of the tenant, letters, digits and ._- stand for themselves, any other
// byte is "~" and two hex digits.
type Key string

const (
	keySeparator = ","
	keyEscape    = '~'
	idSlash      = "!"
)

// IsID reports whether an id is none of what only keys have.
func IsID(id string) bool { return !strings.ContainsAny(id, keySeparator+idSlash) }

// KeyOf is the key of a tenant's job; that of the platform has no name.
func KeyOf(tenant, id string) Key {
	id = strings.ReplaceAll(id, "/", idSlash)
	if tenant == "" {
		return Key(id)
	}
	var b strings.Builder
	b.Grow(len(id) + len(keySeparator) + len(tenant))
	b.WriteString(id)
	b.WriteString(keySeparator)
	for i := range len(tenant) {
		switch c := tenant[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{keyEscape, hex[c>>4], hex[c&15]})
		}
	}
	return Key(b.String())
}

// Split is the id, and the tenant that the key names: none if it is Bare.
func (k Key) Split() (id, tenant string) {
	_, tenant, _ = strings.Cut(string(k), keySeparator)
	if plain, err := url.PathUnescape(strings.ReplaceAll(tenant, string(keyEscape), "%")); err == nil {
		tenant = plain
	}
	return k.ID(), tenant
}

// ID is the id of the job.
func (k Key) ID() string {
	id, _, _ := strings.Cut(string(k), keySeparator)
	return strings.ReplaceAll(id, idSlash, "/")
}

// Bare reports whether the key is an id alone.
func (k Key) Bare() bool { return !strings.Contains(string(k), keySeparator) }

package rohrpost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// uniqueKeys refuses an object that has a key twice: encoding/json would take the last
// one, and whoever looked at the message before may have taken the first (RFC 8259 §4).
// Keys are compared as encoding/json compares them, without regard to case, but for
// those of metadata, which are the application's. b is valid JSON; each of its bytes is
// looked at once.
func uniqueKeys(b []byte) error {
	var open []object
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '{', '[':
			o := object{list: c == '['}
			if n := len(open); n > 0 {
				o.metadata = open[n-1].key == "metadata"
			}
			open = append(open, o)
			i++
		case '}', ']':
			open = open[:len(open)-1]
			i++
		case '"':
			end := i + stringEnd(b[i:])
			rest := bytes.TrimLeft(b[end:], " \t\r\n")
			if n := len(open); n > 0 && !open[n-1].list && len(rest) > 0 && rest[0] == ':' {
				if err := open[n-1].add(b[i:end]); err != nil {
					return err
				}
			}
			i = end
		default:
			i++
		}
	}
	return nil
}

// An object is one that was entered, or a list, which has no keys.
type object struct {
	list     bool
	metadata bool
	key      string   // the last one
	few      []string // its keys; only metadata has more than fit
	many     map[string]bool
}

// add notes a key, with its quotes.
func (o *object) add(quoted []byte) error {
	key := string(quoted[1 : len(quoted)-1])
	if strings.IndexByte(key, '\\') >= 0 || !utf8.ValidString(key) {
		if err := json.Unmarshal(quoted, &key); err != nil {
			return err
		}
	}
	if o.key = key; !o.metadata {
		o.key = strings.Map(foldRune, key)
	}
	if o.twice(o.key) {
		return fmt.Errorf("%.100q is there twice in one object", key)
	}
	return nil
}

// twice reports whether the key was noted before, and notes it. A map for each object
// would cost more than everything else here.
func (o *object) twice(key string) bool {
	const fit = 32
	if o.many[key] || slices.Contains(o.few, key) {
		return true
	}
	if len(o.few) < fit {
		o.few = append(o.few, key)
		return false
	}
	if o.many == nil {
		o.many = map[string]bool{}
	}
	o.many[key] = true
	return false
}

// foldRune is the same for all runes that differ in case only, which is how
// encoding/json compares: also the long s is an s.
func foldRune(r rune) rune {
	if r <= unicode.MaxASCII {
		return unicode.ToLower(r)
	}
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return unicode.ToLower(next)
		}
		r = next
	}
}

// stringEnd is the length of the JSON string at the beginning of b, with its quotes.
func stringEnd(b []byte) int {
	i := 1
	for ; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++ // what is escaped
		}
	}
	return i + 1
}

package rohrpost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
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
	key      string // the last one
	seen     map[string]bool
}

// add notes a key, with its quotes.
func (o *object) add(quoted []byte) error {
	var key string
	if err := json.Unmarshal(quoted, &key); err != nil {
		return err
	}
	if o.key = key; !o.metadata {
		o.key = strings.Map(foldRune, key)
	}
	if o.seen[o.key] {
		return fmt.Errorf("%.100q is there twice in one object", key)
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[o.key] = true
	return nil
}

// foldRune is the smallest of the runes that differ in case only, which is how
// encoding/json compares: also the long s is an s.
func foldRune(r rune) rune {
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
	for i := 1; ; i++ {
		next := bytes.IndexAny(b[i:], `"\\`)
		if i += next; b[i] == '"' {
			return i + 1
		}
		i++ // what is escaped
	}
}

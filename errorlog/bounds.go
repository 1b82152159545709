package errorlog

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// What one entry may hold, whatever a server or an application says. Sizes are bytes
// of the JSON form.
const (
	maxEntry      = 8 << 10 // all together
	maxRecipients = 20
	maxRecipient  = 120
	maxDiagnostic = 2048
	maxMetadata   = 1024
	maxName       = 256 // an id, a host
	maxWord       = 64  // a category, a stage
)

// bound cuts the entry down to the limits, and makes every text harmless wherever
// lines mean something. The tenant stays as it is: it is a key.
func (e Entry) bound() Entry {
	for _, text := range []*string{&e.User, &e.JobID, &e.MessageID, &e.Account, &e.Host} {
		*text = keptName(*text)
	}
	for _, text := range []*string{&e.Level, &e.Stage, &e.Enhanced, &e.Category, &e.Class} {
		*text = keptWord(*text)
	}
	e.Diagnostic = shorten(kept(e.Diagnostic), maxDiagnostic)
	clean := make([]string, 0, len(e.Recipients))
	for _, r := range e.Recipients {
		clean = append(clean, shorten(flat(r), maxRecipient))
	}
	e.Recipients, e.Metadata = clean, keptMetadata(e.Metadata)
	return e
}

// firstRecipients leaves out all but the first, and counts the others.
func (e Entry) firstRecipients() Entry {
	if n := len(e.Recipients) - maxRecipients; n > 0 {
		e.Recipients, e.MoreRecipients = e.Recipients[:maxRecipients], e.MoreRecipients+n
	}
	return e
}

func keptName(s string) string { return shorten(flat(s), maxName) }

func keptWord(s string) string { return shorten(flat(s), maxWord) }

// keptMetadata keeps pairs in the order of their keys while there is room. The pair
// "…" says how many had none: "+3".
func keptMetadata(m map[string]string) map[string]string {
	const perPair = len(`"":"",`)
	left := maxMetadata - perPair - len("…+32")
	out := make(map[string]string, len(m))
	for i, key := range slices.Sorted(maps.Keys(m)) {
		k := shorten(flat(key), maxWord)
		room := left - encodedLen(k) - perPair
		value := flat(m[key])
		if room < min(encodedLen(value), maxWord) {
			out["…"] = "+" + strconv.Itoa(len(m)-i)
			break
		}
		out[k] = shorten(value, room)
		left = room - encodedLen(out[k])
	}
	return out
}

// shorten cuts a text of printable characters to so many bytes of its JSON form, and
// marks that with an ellipsis.
func shorten(s string, most int) string {
	if encodedLen(s) <= most {
		return s
	}
	n := len("…")
	for i, r := range s {
		if n += encodedLen(string(r)); n > most {
			return s[:i] + "…"
		}
	}
	return s
}

// encodedLen is the length of a text of printable characters as JSON, without the
// quotes around it.
func encodedLen(s string) int {
	return len(s) + strings.Count(s, `"`) + strings.Count(s, `\`)
}

package failure

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxDiagnostic = 500     // characters kept
	maxScrubbed   = 2 << 10 // bytes looked at
	removed       = "[…]"
)

var (
	secretPattern = regexp.MustCompile(`(?i)\b((?:pass(?:word|wd|phrase)?|pwd|secret|client_secret|(?:access_|refresh_|id_)?token|api[_-]?key|authorization|cookie|assertion)["']?\s*[=:]\s*["']?)(?:(?:basic|bearer)\s+)?[^\s"',;&]+`)
	bearerPattern = regexp.MustCompile(`(?i)\b(bearer\s+|auth (?:plain|login|xoauth2|oauthbearer|cram-md5)\s+)[^\s"',;]+`)
	addrPattern   = regexp.MustCompile(`(?:"[^"@]*"|[^\s<>@"'(),:;\[\]/?&]+)@(\[[0-9A-Fa-f.:IPv]+\]|[\p{L}\p{N}\p{M}_.-]*[\p{L}\p{N}\p{M}])`)
	queryPattern  = regexp.MustCompile(`\?[\w.~%-]+=[^\s<>"']*`)
	longPattern   = regexp.MustCompile(`[A-Za-z0-9+/_-]{24,}={0,2}`)
	longInURL     = regexp.MustCompile(`[A-Za-z0-9+_-]{24,}={0,2}`)
	uuidPattern   = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	// camelPattern is for names such as SubmissionQuotaExceededException, which
	// no encoded secret looks like.
	camelPattern = regexp.MustCompile(`^(?:[A-Z][a-z]{1,15}){2,}$`)
)

// Scrub makes foreign text fit for a log that people read (it may hold
// addresses, report ids, pieces of a login): one line, mail addresses masked,
// URLs without query, long encoded strings removed, no control or invisible
// characters, at most 500 characters.
func Scrub(s string) string {
	if harmless(s) {
		return s
	}
	return scrub(s)
}

func scrub(s string) string {
	if len(s) > maxScrubbed {
		s = s[:maxScrubbed]
		// What is cut in two is no longer recognized: drop it.
		s = s[:strings.LastIndexByte(s, ' ')+1]
	}
	s = strings.Join(strings.Fields(strings.Map(printable, strings.ToValidUTF8(s, "\uFFFD"))), " ")
	// Each pattern costs more than the rest together: it runs where it may match.
	if namesSecret(s) {
		s = secretPattern.ReplaceAllString(s, "${1}"+removed)
	}
	if lower := strings.ToLower(s); strings.Contains(lower, "bearer") || strings.Contains(lower, "auth ") {
		s = bearerPattern.ReplaceAllString(s, "${1}"+removed)
	}
	var b strings.Builder
	rest := s
	for {
		from, to := findURL(rest)
		if from < 0 {
			b.WriteString(scrubText(rest))
			break
		}
		b.WriteString(scrubText(rest[:from]))
		b.WriteString(scrubURL(rest[from:to]))
		rest = rest[to:]
		if b.Len() > maxDiagnostic && utf8.RuneCountInString(b.String()) > maxDiagnostic {
			break // cut drops the rest
		}
	}
	return cut(b.String())
}

// namesSecret reports whether secretPattern may match.
func namesSecret(s string) bool {
	for i := range len(s) {
		if s[i] != ':' && s[i] != '=' {
			continue
		}
		before := strings.TrimSuffix(s[:i], " ")
		if n := len(before); n > 0 && (before[n-1] == '"' || before[n-1] == '\'') {
			before = before[:n-1]
		}
		if wordOfSecret(before) {
			return true
		}
	}
	return false
}

// findURL is where the first scheme://anything begins and ends; -1: there is none.
func findURL(s string) (from, to int) {
	for at := 0; ; {
		i := strings.Index(s[at:], "://")
		if i < 0 {
			return -1, -1
		}
		i += at
		at = i + len("://")
		end := at
		for end < len(s) && strings.IndexByte(" <>\"'", s[end]) < 0 {
			end++
		}
		begin := i
		for begin > 0 && (isWord(s[begin-1]|0x20) && s[begin-1] < utf8.RuneSelf || strings.IndexByte("+.-", s[begin-1]) >= 0) {
			begin--
		}
		for begin < i && (s[begin]|0x20 < 'a' || s[begin]|0x20 > 'z') {
			begin++ // a scheme begins with a letter (RFC 3986 §3.1)
		}
		if begin < i && end > at {
			return begin, end
		}
	}
}

// harmless spots at once what most replies are, "2.0.0 Ok: queued as 4B1F2": a
// short line in which no pattern below can match. A fifth of the time of a mail
// would go into those patterns.
func harmless(s string) bool {
	if len(s) > maxDiagnostic {
		return false
	}
	run := 0 // of characters that an encoded secret consists of
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~' || strings.IndexByte(`@?=/"'`, c) >= 0:
			return false
		case c == ' ':
			run = 0
			if i == 0 || i == len(s)-1 || s[i-1] == ' ' || wordBefore(s[:i], "bearer") || wordBefore(s[:i], "auth") {
				return false
			}
		case c == ':':
			run = 0
			if wordOfSecret(strings.TrimRight(s[:i], " ")) {
				return false
			}
		default:
			if run++; run >= longRun {
				return false
			}
		}
	}
	return true
}

// longRun is the length of what longPattern takes for encoded.
const longRun = 24

func wordBefore(s, word string) bool {
	return len(s) >= len(word) && strings.EqualFold(s[len(s)-len(word):], word)
}

// wordOfSecret reports whether secretPattern may match at a colon after s.
func wordOfSecret(s string) bool {
	for _, word := range []string{"pass", "password", "passwd", "passphrase", "pwd", "secret", "token", "key", "authorization", "cookie", "assertion"} {
		if wordBefore(s, word) {
			return true
		}
	}
	return false
}

// printable turns what moves the line or hides text into a space.
func printable(r rune) rune {
	if ' ' <= r && r <= '~' {
		return r
	}
	if r == '\uFFFD' || unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r) {
		return r
	}
	return ' '
}

func scrubText(s string) string {
	if strings.Contains(s, `"@`) { // a quoted local part may hold spaces
		s = addrPattern.ReplaceAllStringFunc(s, maskAddress)
	}
	var b strings.Builder
	for word := range strings.SplitAfterSeq(s, " ") {
		if strings.Contains(word, "@") {
			word = addrPattern.ReplaceAllStringFunc(word, maskAddress)
		}
		if strings.Contains(word, "?") {
			word = queryPattern.ReplaceAllString(word, "")
		}
		if runs(word, "/+_-=") {
			word = longPattern.ReplaceAllStringFunc(word, removeLong)
		}
		b.WriteString(word)
	}
	return b.String()
}

// maskAddress keeps the first letter and the domain: a***@example.org.
func maskAddress(s string) string {
	at := strings.LastIndexByte(s, '@')
	local := strings.TrimPrefix(s[:at], `"`)
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "***" + s[at:]
}

func scrubURL(s string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	if host, path, _ := strings.Cut(rest, "/"); strings.Contains(host, "@") {
		rest = host[strings.LastIndexByte(host, '@')+1:] + "/" + path
	}
	if strings.Contains(rest, "@") {
		rest = addrPattern.ReplaceAllStringFunc(rest, maskAddress)
	}
	if runs(rest, "+_-=") {
		rest = longInURL.ReplaceAllStringFunc(rest, removeLong)
	}
	return scheme + "://" + rest
}

// runs reports whether the text has longRun letters, digits and others in a row.
func runs(s, others string) bool {
	run := 0
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf && (isWord(c|0x20) || strings.IndexByte(others, c) >= 0) {
			if run++; run >= longRun {
				return true
			}
			continue
		}
		run = 0
	}
	return false
}

func removeLong(s string) string {
	if camelPattern.MatchString(s) || uuidPattern.MatchString(s) {
		return s
	}
	return removed
}

func cut(s string) string {
	n := 0
	for i := range s {
		if n++; n == maxDiagnostic {
			if _, size := utf8.DecodeRuneInString(s[i:]); i+size < len(s) {
				return s[:i] + "…"
			}
		}
	}
	return s
}

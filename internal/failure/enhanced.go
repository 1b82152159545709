package failure

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// An enhancedCode is class.subject.detail (RFC 3463 §2); zero: there is none.
type enhancedCode struct{ class, subject, detail int }

func (e enhancedCode) String() string {
	if e == (enhancedCode{}) {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", e.class, e.subject, e.detail)
}

// specific is false for the codes that only repeat the reply code, or that
// every refusal by policy carries. Text and reply code say more than they.
func (e enhancedCode) specific() bool {
	if e.detail == 0 {
		switch e.subject {
		case 0, 1, 2, 5, 7:
			return false
		}
	}
	return e.subject != 7 || e.detail != 1
}

// findEnhanced is the first enhanced code of the lines whose class is the first
// digit of the reply. One that contradicts its reply is not believed (nor is
// part of an IP address or of a version with four numbers).
func findEnhanced(lines []string, code int) enhancedCode {
	left := maxText
	for _, line := range lines {
		if left <= 0 {
			break
		}
		line = line[:min(len(line), left)]
		left -= len(line) + 1
		if e := findEnhancedIn(line, code/100); e != (enhancedCode{}) {
			return e
		}
	}
	return enhancedCode{}
}

func findEnhancedIn(line string, class int) enhancedCode {
	for from := 0; ; {
		dot := strings.IndexByte(line[from:], '.')
		if dot < 0 {
			return enhancedCode{}
		}
		at := from + dot - 1
		from += dot + 1
		if at < 0 || int(line[at]-'0') != class || at > 0 && (isWord(line[at-1]|0x20) || line[at-1] == '.' || line[at-1] == '_') {
			continue
		}
		e, n := parseCode(line[at:])
		rest := line[at+n:]
		if n == 0 || rest != "" && (isWord(rest[0]|0x20) || rest[0] == '_') || len(rest) > 1 && rest[0] == '.' && isDigit(rest[1]) {
			continue
		}
		return e
	}
}

// parseCode reads an enhanced code at the start of a text, and says how long it is: 0
// if there is none.
func parseCode(s string) (enhancedCode, int) {
	if s == "" || s[0] != '2' && s[0] != '4' && s[0] != '5' {
		return enhancedCode{}, 0
	}
	e, n := enhancedCode{class: int(s[0] - '0')}, 1
	for _, part := range []*int{&e.subject, &e.detail} {
		if n == len(s) || s[n] != '.' {
			return enhancedCode{}, 0
		}
		n++
		digits := 0
		for ; n < len(s) && isDigit(s[n]); n++ {
			*part = *part*10 + int(s[n]-'0')
			digits++
			if digits > 3 {
				return enhancedCode{}, 0
			}
		}
		if digits == 0 {
			return enhancedCode{}, 0
		}
	}
	return e, n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// An enhancedRange is "5.1.1", "x.7.20-24", "4.3.x" or "none".
type enhancedRange struct {
	class, subject int // class 0: any
	from, to       int
	none           bool
}

var enhancedRangePattern = regexp.MustCompile(`^([245x])\.(\d{1,3})\.(?:(x)|(\d{1,3})(?:-(\d{1,3}))?)$`)

func parseEnhanced(s string) (enhancedRange, error) {
	if s == "none" {
		return enhancedRange{none: true}, nil
	}
	p := enhancedRangePattern.FindStringSubmatch(s)
	if p == nil {
		return enhancedRange{}, fmt.Errorf("enhanced code %q is not like 5.1.1, x.7.20-24, 4.3.x or none", s)
	}
	var r enhancedRange
	r.class, _ = strconv.Atoi(p[1]) // x stays 0
	r.subject, _ = strconv.Atoi(p[2])
	if p[3] == "x" {
		r.to = 999
		return r, nil
	}
	r.from, _ = strconv.Atoi(p[4])
	r.to = r.from
	if p[5] != "" {
		r.to, _ = strconv.Atoi(p[5])
	}
	return r, nil
}

func (r enhancedRange) has(e enhancedCode) bool {
	if e == (enhancedCode{}) || r.none {
		return r.none && e == (enhancedCode{})
	}
	return (r.class == 0 || r.class == e.class) && r.subject == e.subject && r.from <= e.detail && e.detail <= r.to
}

func (r enhancedRange) specific() bool {
	return !r.none && (r.from != r.to || enhancedCode{r.class, r.subject, r.from}.specific())
}

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

var enhancedPattern = regexp.MustCompile(`\b([245])\.(\d{1,3})\.(\d{1,3})\b`)

// findEnhanced is the first enhanced code of the text whose class is the first
// digit of the reply. One that contradicts its reply is not believed (nor is
// part of an IP address or of a version with four numbers).
func findEnhanced(text string, code int) enhancedCode {
	for _, at := range enhancedPattern.FindAllStringSubmatchIndex(text, -1) {
		before, after := text[:at[0]], text[at[1]:]
		if strings.HasSuffix(before, ".") || len(after) > 1 && after[0] == '.' && '0' <= after[1] && after[1] <= '9' {
			continue
		}
		class, _ := strconv.Atoi(text[at[2]:at[3]])
		if class != code/100 {
			continue
		}
		subject, _ := strconv.Atoi(text[at[4]:at[5]])
		detail, _ := strconv.Atoi(text[at[6]:at[7]])
		return enhancedCode{class, subject, detail}
	}
	return enhancedCode{}
}

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

package failure

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
)

// TestScan finds strings within and over one another.
func TestScan(t *testing.T) {
	t.Parallel()
	var s scanner
	for _, literal := range []string{"he", "she", "his", "hers", "rate limit", "limit"} {
		s.add(literal)
	}
	s.build()
	var got []string
	const text = "ushers, rate limits"
	for _, h := range s.scan(text) {
		got = append(got, text[h.at:h.end])
	}
	if want := "she he hers rate limit " + "limit"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLiterals: every match has one of them.
func TestLiterals(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`too many (logins|mails)`:    "too many logins|too many mails",
		`gr[ae]y-?list`:              "gray-list|graylist|grey-list|greylist",
		`\bsender.{0,20}not allowed`: "not allowed",
		`(a|the quota) exceeded`:     "a exceeded|the quota exceeded",
		`blocked|.{3}`:               "",
		`(quota )?(is )?over`:        "is over|over|quota is over|quota over",
		`aadsts(\d{5}|90002)\b`:      "aadsts",
		`x.{0,9}y`:                   "",
		`(mail){2}`:                  "mailmail",
	} {
		tree, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		got := literals(tree.Simplify())
		for literal := range strings.SplitSeq(want, "|") {
			if want != "" && !strings.Contains("|"+strings.Join(got, "|")+"|", "|"+literal+"|") {
				t.Errorf("%s: %q, want %q", expression, got, want)
			}
		}
		if want == "" && got != nil || want != "" && len(got) != strings.Count(want, "|")+1 {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}

// FuzzPattern: looking at the literals first finds what the expression finds.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{
		"host mx.example.net[192.0.2.9] said: 421 no", "too many connections; try again in 9 minutes", "5.7.1 greylisted", "sender is not allowed",
		"remote server replied: rate limit", "aaaa said", "led=", "try again in 5 hours or in 7 minutes",
	} {
		f.Add(seed)
	}
	loaded, err := load(rulesYAML)
	if err != nil {
		f.Fatal(err)
	}
	patterns := []*pattern{loaded.quotation, loaded.pauses.span, loaded.pauses.clock, loaded.pauses.time}
	for _, step := range loaded.steps {
		for _, m := range step {
			if m.text != nil {
				patterns = append(patterns, m.text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := loaded.read(normalize([]string{s}))
		for _, p := range patterns {
			if got, want := p.in(text), regexp.MustCompile(p.re.String()).MatchString(text.s); got != want {
				t.Errorf("%q in %q: %v, want %v", p.re, text.s, got, want)
			}
		}
	})
}

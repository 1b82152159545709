package failure

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// checkSane holds for every cause, whatever the server says.
func checkSane(t *testing.T, c Cause) {
	t.Helper()
	f := Classify(c)
	if f == nil {
		t.Fatal("no failure")
	}
	if !slices.Contains(classes(), f.Class) || !slices.Contains(Categories(), f.Category) || table().rules[f.Rule] == nil {
		t.Errorf("%v: class %q, category %q, rule %d", f, f.Class, f.Category, f.Rule)
	}
	smtp := c.Stage != StageToken && c.Stage != StageAPI
	answered := c.Reply.Code != 0
	if f.Class == Permanent && smtp && answered && c.Reply.Code/100 != 5 {
		t.Errorf("permanent without 5yz: %v", f)
	}
	beforeMail := slices.Index(stages(), c.Stage) < slices.Index(stages(), StageMail)
	if f.Class == Permanent && beforeMail {
		t.Errorf("the account's trouble fails the mail: %v", f)
	}
	if c.Stage == StageDot && !answered && f.Class != Uncertain {
		t.Errorf("no answer after the dot must be uncertain: %v", f)
	}
	if f.Class == Uncertain && answered && c.Reply.Code >= 400 && smtp {
		t.Errorf("an answer is certain: %v", f)
	}
	checkJudgement(t, f)
	if f.RetryAfter < 0 || f.RetryAfter > 24*time.Hour {
		t.Errorf("retry after %v", f.RetryAfter)
	}
	checkScrubbed(t, f.Diagnostic)
}

// checkJudgement holds for the scope of every failure, and for who is to mend it.
func checkJudgement(t *testing.T, f *Failure) {
	t.Helper()
	scope := f.Scope()
	switch {
	case !slices.Contains(scopes(), scope):
		t.Errorf("scope %q: %v", scope, f)
	case slices.Contains([]Class{Permanent, Expired, Uncertain}, f.Class) && scope != ScopeMail:
		t.Errorf("%s at the expense of others (%s): %v", f.Class, scope, f)
	case f.Class == Config && scope == ScopeMail:
		t.Errorf("nobody waits for the one who has to act: %v", f)
	case f.Class == Throttle && scope != ScopeAccount && scope != ScopeServer && f.Rule != 115 && f.Category != "recipient_policy":
		t.Errorf("throttled by one mail after the other (%s): %v", scope, f)
	case f.NeedsPerson() && (f.Class != Config || f.Code == 0 || scope != ScopeAccount):
		t.Errorf("an account would be parked without its being refused (%s): %v", scope, f)
	}
}

func checkScrubbed(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 500 || strings.ContainsFunc(s, unicode.IsControl) {
		t.Errorf("not one clean line of at most 500 characters: %q", s)
	}
}

// TestUnseen asks about texts that no rule knows.
func TestUnseen(t *testing.T) {
	t.Parallel()
	codes := []int{
		334, 354, 421, 432, 450, 451, 452, 454, 455, 500, 501, 502, 503, 504, 521, 523, 525, 530, 534, 535, 538,
		550, 551, 552, 553, 554, 555, 556, 571,
	}
	for code := 300; code < 620; code += 9 { // and some that nobody uses
		codes = append(codes, code)
	}
	for _, stage := range stages() {
		for _, code := range codes {
			for _, text := range []string{"", "xyzzy", "4.9.9 xyzzy", "5.9.9 xyzzy", "5.7.1 xyzzy"} {
				checkSane(t, reply(stage, code, text))
			}
		}
		for _, err := range []error{io.EOF, errors.New("xyzzy"), fmt.Errorf("a: %w", errors.ErrUnsupported)} {
			checkSane(t, broken(stage, err))
		}
	}
	for _, stage := range []Stage{StageMail, StageRcpt, StageData, StageDot} {
		if f := Classify(reply(stage, 459, "xyzzy")); f.Class != Transient {
			t.Errorf("unknown 4yz at %s is %s", stage, f.Class)
		}
		if f := Classify(reply(stage, 559, "xyzzy")); f.Class != Permanent && stage != StageMail {
			t.Errorf("unknown 5yz at %s is %s", stage, f.Class)
		}
	}
	if f := Classify(api(StageAPI, 400, "never_heard_of", "xyzzy")); f.Class != Transient {
		t.Errorf("an unknown HTTP 400 is %s: it is no reply 4yz, but unknown means temporary", f.Class)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(9, 550, "5.1.1 User unknown", "", "", int64(0))
	f.Add(11, 451, "4.7.1 Greylisted, try again in 99999 minutes", "", "mail.gmx.net", int64(0))
	f.Add(7, 535, "5.7.139 Authentication unsuccessful", "", "smtp.office365.com", int64(0))
	f.Add(1, 400, "AADSTS50076", "invalid_grant", "", int64(time.Hour))
	f.Add(12, 429, "Retry after 2026-05-01T10:15:30Z", "x", "", int64(-1))
	f.Add(11, 0, "tls: \x00 broken", "", "", int64(1)<<62)
	f.Fuzz(func(t *testing.T, stage, code int, text, apiCode, host string, after int64) {
		c := reply(stages()[uint(stage)%uint(len(stages()))], code, text)
		c.APICode, c.Host, c.RetryAfter = apiCode, host, time.Duration(after)
		if code == 0 {
			c = broken(c.Stage, errors.New(text))
		}
		checkSane(t, c)
	})
}

package resolver_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// A standing is how an account can stand at a level, and what the rules say of
// one that stands so. They are written down here, apart from the code.
type standing struct {
	name           string
	carries        bool   // it may send
	why            string // part of why it may not
	transport      resolver.Transport
	authentication string
	keepsSMTP      bool // SMTP settings are stored which OAuth2 goes before
	waits          bool // nobody else sends in its place, but it does not either
	onPlatform     bool // the platform's account can stand so
}

func standings() []standing {
	return []standing{
		{name: "absent", why: "none", onPlatform: true},
		{name: "smtp", carries: true, transport: resolver.ViaSMTP, authentication: "password", onPlatform: true},
		{name: "no login", carries: true, transport: resolver.ViaSMTP, authentication: "none", onPlatform: true},
		{name: "oauth2", carries: true, transport: resolver.ViaSMTP, authentication: "oauth2", onPlatform: true},
		{name: "both", carries: true, transport: resolver.ViaGraph, authentication: "oauth2", keepsSMTP: true, onPlatform: true},
		{name: "switched off", why: "switched off", transport: resolver.ViaSMTP},
		{name: "locked", why: "locked", transport: resolver.ViaSMTP, onPlatform: true},
		{name: "entered", why: "not checked", transport: resolver.ViaSMTP, onPlatform: true},
		{name: "checked", why: "approval", transport: resolver.ViaSMTP},
		{name: "parked", carries: true, transport: resolver.ViaGmail, authentication: "oauth2", waits: true, onPlatform: true},
		{name: "unknown", why: "not active", transport: resolver.ViaSMTP, onPlatform: true},
	}
}

// account is one that stands so; nil for absent.
func (s *standing) account(level resolver.Level) *resolver.Account {
	smtp := &resolver.SMTPSettings{Host: string(level) + ".example", Password: resolver.NewSecret("pw")}
	oauth2 := &resolver.OAuth2Settings{Provider: resolver.Microsoft, Transport: string(s.transport)}
	settings := resolver.Settings{Address: string(level) + "@acme.example", SMTP: smtp}
	state := resolver.Active
	switch s.name {
	case "absent":
		return nil
	case "no login":
		smtp.Password = resolver.Secret{}
	case "both":
		settings.OAuth2 = oauth2
	case "oauth2":
		settings.OAuth2, settings.SMTP = oauth2, nil
	case "switched off":
		settings.UsePlatformDefault = true
	case "locked", "entered", "checked":
		state = resolver.State(s.name)
	case "parked":
		oauth2.Provider, state = resolver.Google, resolver.Parked
		settings.OAuth2, settings.SMTP = oauth2, nil
	case "unknown":
		state = "archived"
	}
	a := settings.Account(level, "acme", "max")
	a.State = state
	return a
}

// TestMatrix is I1, I2, I4, I5, I6, O1, O2, S1, S2 and S4: who sends, for every
// standing of the three accounts, every origin and every category. There is
// exactly one answer, and it says why it is none of the others.
func TestMatrix(t *testing.T) {
	t.Parallel()
	cases := 0
	accounts := map[resolver.Level][]*resolver.Account{}
	all := standings()
	for _, level := range []resolver.Level{resolver.Platform, resolver.Tenant, resolver.User} {
		for _, s := range all {
			accounts[level] = append(accounts[level], s.account(level))
		}
	}
	for p := range all {
		if !all[p].onPlatform {
			continue
		}
		for te := range all {
			for u := range all {
				c := resolver.Candidates{Platform: accounts[resolver.Platform][p], Tenant: accounts[resolver.Tenant][te], User: accounts[resolver.User][u]}
				stands := map[byte]*standing{'P': &all[p], 'T': &all[te], 'U': &all[u]}
				if cases += matrixCell(t, c, stands); t.Failed() {
					return // one of thousands is enough
				}
			}
		}
	}
	if want := 9 * 11 * 11 * 3 * 3; cases != want {
		t.Errorf("%d cases, want %d", cases, want)
	}
}

// matrixCell asks for mails of every origin and category.
func matrixCell(t *testing.T, c resolver.Candidates, stands map[byte]*standing) (cases int) {
	t.Helper()
	for origin, order := range map[rohrpost.Origin]string{rohrpost.Manual: "UTP", rohrpost.Automatic: "TUP", "": "TUP"} {
		for category, may := range map[rohrpost.Category]string{rohrpost.Transactional: "UTP", "": "UTP", rohrpost.Marketing: "P"} {
			cases++
			req := byMax()
			req.Origin, req.Category = origin, category
			s, err := resolve(t, c, req)
			if wrong := checkAnswer(s, err, order, may, stands); wrong != "" {
				t.Errorf("platform %s, tenant %s, user %s, %q %q mail: %s",
					stands['P'].name, stands['T'].name, stands['U'].name, origin, category, wrong)
			}
		}
	}
	return cases
}

// checkAnswer says what is wrong with an answer. order is in which order the
// levels are asked, may which of them the mail may leave through.
func checkAnswer(s resolver.Sender, err error, order, may string, stands map[byte]*standing) string {
	sends := strings.IndexFunc(order, func(level rune) bool {
		return stands[byte(level)].carries && strings.ContainsRune(may, level)
	})
	var passed []string // level, transport and why
	for i := range len(order) {
		level := order[i]
		st := stands[level]
		why := st.why
		switch {
		case st.name != "absent" && st.name != "switched off" && !strings.Contains(may, order[i:i+1]):
			why = "marketing"
		case i == sends && st.keepsSMTP:
			passed = append(passed, levelOf(level)+" smtp OAuth2 goes before SMTP")
			continue
		case i == sends:
			continue
		case st.carries:
			why = levelOf(order[sends]) + "'s account goes first"
		}
		passed = append(passed, fmt.Sprintf("%s %s %s", levelOf(level), st.transport, why))
	}
	if !slices.EqualFunc(s.PassedOver, passed, func(got resolver.Passed, want string) bool {
		start := fmt.Sprintf("%s %s ", got.Level, got.Transport)
		why, ok := strings.CutPrefix(want, start)
		return ok && strings.Contains(got.Why, why)
	}) {
		return fmt.Sprintf("passed over are %v, want %q", s.PassedOver, passed)
	}
	if sends < 0 {
		none, ok := errors.AsType[*resolver.NoAccountError](err)
		if !ok || !errors.Is(err, failure.ErrSettings) || !slices.Equal(none.PassedOver, s.PassedOver) || s.Account != nil {
			return fmt.Sprintf("nobody can send, but %v, %v", s.Account, err)
		}
		return ""
	}
	level, st := levelOf(order[sends]), stands[order[sends]]
	if s.Account == nil || string(s.Account.Level) != level || st.waits != errors.Is(err, resolver.ErrUnusable) || st.waits == (err == nil) {
		return fmt.Sprintf("account is %v, %v, want the %s's", s.Account, err, level)
	}
	e := s.Explain()
	if string(e.Level) != level || e.From != level+"@acme.example" || e.Transport != st.transport || e.Authentication != st.authentication || len(e.ReplyTo) != 1 {
		return fmt.Sprintf("answer is %+v", e)
	}
	if !strings.HasSuffix(s.Why, ".") || strings.Count(s.Why, ".") != 1 {
		return fmt.Sprintf("why is not one sentence: %q", s.Why)
	}
	return ""
}

func levelOf(letter byte) string {
	return map[byte]string{'P': "platform", 'T': "tenant", 'U': "user"}[letter]
}

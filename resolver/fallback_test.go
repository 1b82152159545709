package resolver_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// fallback asks who steps in for the account of a mail.
func fallback(t *testing.T, c resolver.Candidates, req resolver.Request) (blocked, s resolver.Sender, ok bool) {
	t.Helper()
	r, err := resolver.New(resolver.Options{Store: fixed(c)})
	if err != nil {
		t.Fatal(err)
	}
	blocked, err = r.Resolve(t.Context(), req)
	if err != nil && !errors.Is(err, resolver.ErrUnusable) {
		t.Fatal(err)
	}
	if s, ok, err = r.Fallback(t.Context(), req, blocked); err != nil {
		t.Fatal(err)
	}
	return blocked, s, ok
}

func reserved() resolver.Candidates {
	c := all()
	c.Tenant.Fallback = resolver.FallbackPlatform
	return c
}

// TestFallback is what the mail says of its sender when the platform steps in.
func TestFallback(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		mail    resolver.Request
		change  func(*resolver.Candidates, *resolver.Request)
		from    rohrpost.Address
		replyTo []string
		reverse string
	}{
		{
			name: "a person's account", mail: person(),
			from: rohrpost.Address{Name: "Max M.", Address: "noreply@platform.example"}, replyTo: []string{"max.muster@acme.example"},
		},
		{
			name: "a tenant's account", mail: program(),
			from: rohrpost.Address{Name: "ACME", Address: "noreply@platform.example"}, replyTo: []string{"it@acme.example"},
		},
		{
			name: "no administrator: answers to who would have been From", mail: program(),
			change: func(c *resolver.Candidates, _ *resolver.Request) { c.TenantAdmin = "" },
			from:   rohrpost.Address{Name: "ACME", Address: "noreply@platform.example"}, replyTo: []string{"info@acme.example"},
		},
		{
			name: "answers were asked for", mail: program(),
			change: func(_ *resolver.Candidates, r *resolver.Request) {
				r.ReplyTo = []rohrpost.Address{{Address: "a@acme.example"}, {Address: "b@acme.example"}}
			},
			from: rohrpost.Address{Name: "ACME", Address: "noreply@platform.example"}, replyTo: []string{"a@acme.example", "b@acme.example"},
		},
		{
			name: "From was asked for", mail: from(program(), "sales@acme.example"),
			change: func(c *resolver.Candidates, _ *resolver.Request) {
				c.Tenant.ForceSender, c.Tenant.Aliases = false, []string{"sales@acme.example"}
				c.Platform.ForceSender, c.Platform.Aliases = false, []string{"sales@acme.example"}
			},
			from: rohrpost.Address{Name: "ACME", Address: "noreply@platform.example"}, replyTo: []string{"it@acme.example"},
		},
		{
			name: "central sender", mail: program(),
			change: func(c *resolver.Candidates, _ *resolver.Request) {
				c.Tenant.CentralSender = rohrpost.Address{Name: "Service", Address: "service@acme.example"}
			},
			from: rohrpost.Address{Name: "Service", Address: "noreply@platform.example"}, replyTo: []string{"it@acme.example"},
		},
		{
			name: "no name but the platform's", mail: resolver.Request{Tenant: "acme"},
			change: func(c *resolver.Candidates, _ *resolver.Request) { c.Tenant.Name = "" },
			from:   rohrpost.Address{Name: "Platform", Address: "noreply@platform.example"}, replyTo: []string{"it@acme.example"},
		},
		{
			name: "the platform's reverse-path", mail: program(), reverse: "bounces@platform.example",
			change: func(c *resolver.Candidates, _ *resolver.Request) {
				c.Tenant.ReversePath, c.Platform.ReversePath = "bounces@acme.example", "bounces@platform.example"
			},
			from: rohrpost.Address{Name: "ACME", Address: "noreply@platform.example"}, replyTo: []string{"it@acme.example"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := reserved()
			c.Branding = &resolver.Branding{Company: "ACME"}
			if tt.change != nil {
				tt.change(&c, &tt.mail)
			}
			blocked, s, ok := fallback(t, c, tt.mail)
			if !ok || !s.Fallback || s.Account != c.Platform || blocked.Fallback || blocked.Reserve != c.Platform {
				t.Fatalf("%v: %+v", ok, s)
			}
			if s.Branding != c.Branding {
				t.Error("the mail does not wear the tenant's look")
			}
			e := s.Explain()
			if diff := cmp.Diff(tt.from, s.From); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.replyTo, e.ReplyTo); diff != "" {
				t.Error(diff)
			}
			reverse := "noreply@platform.example"
			if tt.reverse != "" {
				reverse = tt.reverse
			}
			if s.ReversePath != reverse {
				t.Errorf("reverse-path is %s", s.ReversePath)
			}
			for _, part := range []string{blocked.Account.ID(), "parked", "refused", "the tenant allows the platform's as fallback"} {
				if !strings.Contains(s.Why, part) {
					t.Errorf("%q is not said in %q", part, s.Why)
				}
			}
			if p := e.PassedOver[0]; p.Level != blocked.Account.Level || !strings.Contains(p.Why, "parked") {
				t.Errorf("passed over: %v", e.PassedOver)
			}
		})
	}
}

// TestFallbackMatrix is who steps in and who does not, for every standing of the
// three accounts and every mail. The rules are written down here, apart from the
// code.
func TestFallbackMatrix(t *testing.T) {
	t.Parallel()
	steppedIn, cases := 0, 0
	every(func(p, te, u standing, choice resolver.Fallback, order resolver.Order, req resolver.Request) {
		c := resolver.Candidates{
			Platform: p.account(resolver.Platform), Tenant: te.account(resolver.Tenant), User: u.account(resolver.User), Order: order,
		}
		if c.Tenant != nil {
			c.Tenant.Fallback = choice
		}
		cases++
		r, err := resolver.New(resolver.Options{Store: fixed(c)})
		if err != nil {
			t.Fatal(err)
		}
		blocked, err := r.Resolve(t.Context(), req)
		s, ok, fallbackErr := r.Fallback(t.Context(), req, blocked)
		want := blocked.Account != nil && blocked.Account.Level != resolver.Platform && // there is somebody to step in for
			c.Tenant != nil && choice == resolver.FallbackPlatform && len(order.Manual) == 0 && // the tenant wants it
			p.carries && !p.waits // the platform can
		if ok != want || fallbackErr != nil || (blocked.Reserve != nil) != want {
			t.Errorf("platform %s, tenant %s, user %s, fallback %q, order %v, %s %s: %v, want %v (%v, %v)",
				p.name, te.name, u.name, choice, order.Manual, req.Origin, req.Category, ok, want, err, fallbackErr)
		}
		if !ok {
			if !reflect.DeepEqual(s, resolver.Sender{}) {
				t.Errorf("nobody steps in, but %+v", s)
			}
			return
		}
		steppedIn++
		levels := []resolver.Level{}
		for _, passed := range s.PassedOver {
			levels = append(levels, passed.Level)
		}
		if s.Account != c.Platform || s.From.Address != c.Platform.Address || s.ReversePath != c.Platform.Address || len(s.ReplyTo) == 0 ||
			slices.Contains(levels, resolver.Platform) || !slices.Contains(levels, resolver.User) || !slices.Contains(levels, resolver.Tenant) ||
			strings.Count(s.Why, ".") != 1 || !strings.HasSuffix(s.Why, ".") {
			t.Errorf("%+v", s)
		}
	})
	if steppedIn == 0 || steppedIn == cases {
		t.Errorf("%d of %d", steppedIn, cases)
	}
}

func every(do func(p, te, u standing, choice resolver.Fallback, order resolver.Order, req resolver.Request)) {
	alone := []resolver.Level{resolver.User, resolver.Tenant}
	for _, p := range standings() {
		if !p.onPlatform {
			continue
		}
		for _, te := range standings() {
			for _, u := range standings() {
				for _, choice := range []resolver.Fallback{"", resolver.FallbackNever, resolver.FallbackPlatform} {
					for _, order := range []resolver.Order{{}, {Manual: alone, Automatic: alone}} {
						for _, req := range []resolver.Request{person(), program(), marketing(person())} {
							do(p, te, u, choice, order, req)
						}
					}
				}
			}
		}
	}
}

// TestFallbackUnusable is a platform whose password is missing.
func TestFallbackUnusable(t *testing.T) {
	t.Parallel()
	c := reserved()
	c.Platform.Unusable = "its password cannot be read"
	if blocked, _, ok := fallback(t, c, person()); ok || blocked.Reserve != nil {
		t.Error("an account that cannot send steps in")
	}
	r, err := resolver.New(resolver.Options{Store: fixed(reserved())})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := r.Fallback(t.Context(), person(), resolver.Sender{}); ok || err != nil {
		t.Errorf("for nobody: %v, %v", ok, err)
	}
}

// TestFallbackSaid: never silent.
func TestFallbackSaid(t *testing.T) {
	t.Parallel()
	blocked, _, _ := fallback(t, reserved(), program())
	const said = "while this account is parked, the platform's sends (the tenant allows it): " +
		"From noreply@platform.example, Reply-To it@acme.example"
	if e := blocked.Explain(); e.Fallback != said {
		t.Errorf("said is %q", e.Fallback)
	}
	if blocked, _, _ = fallback(t, all(), program()); blocked.Explain().Fallback != "" {
		t.Error("a fallback that the tenant does not want")
	}
}

// TestFallbackSetting is whose setting it is.
func TestFallbackSetting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value resolver.Fallback
		level resolver.Level
		want  string
	}{
		{"", resolver.Platform, ""},
		{"", resolver.User, ""},
		{"never", resolver.Tenant, ""},
		{"platform", resolver.Tenant, ""},
		{"tenant", resolver.Tenant, `fallback: "tenant" is not one of never, platform`},
		{"platform", resolver.Platform, "fallback: the platform's account is the fallback itself"},
		{"never", resolver.User, "fallback: is the tenant's choice, which the accounts of its users follow"},
	} {
		s := resolver.Settings{Address: "a@acme.example", SMTP: &resolver.SMTPSettings{Host: "h.example"}, Fallback: tt.value}
		got := ""
		if err := s.Account(tt.level, "acme", "max").Validate(); err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%q of a %s: %s", tt.value, tt.level, got)
		}
	}
	f := load(t, rowsFile("{use_platform_default: true, fallback: platform}", own))
	c := candidates(t, f, "acme", "max")
	if c.Tenant.Fallback != resolver.FallbackPlatform {
		t.Error("a tenant without servers of its own has no choice for its users")
	}
	if _, s, ok := fallback(t, c, person()); !ok || s.Account != c.Platform {
		t.Errorf("the platform does not step in for a user: %+v", s)
	}
}

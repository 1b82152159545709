package accounts_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestLocked: M4. A tenant that is locked tries nothing, whatever is stored; an
// operator may, and once the tenant is unlocked it may, too.
func TestLocked(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	for _, p := range []resolver.Place{acme, maxM} {
		o.put(p, &resolver.Entry{Account: o.settings("info@acme.example")})
	}
	options := o.options
	options.Store = must(t, redisstore.New, redisstore.Options{Redis: o.rdb, Policy: redisstore.Policy{Unlock: true, Check: true}})
	o.renew(options)
	newcomer := resolver.Place{Tenant: "initech"}
	ways := func(who redisstore.Actor, p resolver.Place) []error {
		t.Helper()
		try := accounts.Try{Who: who, Place: p, Person: "anna@acme.example"}
		unsaved := try
		unsaved.Unsaved = &resolver.Entry{Account: o.settings("info@acme.example")}
		errs := []error{o.Admit(t.Context(), who, p)}
		for _, try := range []accounts.Try{try, unsaved} {
			_, mailErr := o.TestMail(t.Context(), try)
			_, doctorErr := o.Examine(t.Context(), try)
			errs = append(errs, mailErr, doctorErr)
		}
		return errs
	}
	admin := redisstore.Actor{Name: "ivan", Role: redisstore.Admin, Tenant: "initech"}
	for _, place := range []struct {
		who redisstore.Actor
		at  resolver.Place
	}{{anna(), acme}, {anna(), maxM}, {admin, newcomer}, {admin, resolver.Place{Tenant: "initech", User: "ida"}}} {
		for i, err := range ways(place.who, place.at) {
			if !errors.Is(err, redisstore.ErrLocked) || !strings.Contains(err.Error(), "operator") {
				t.Errorf("%s, way %d: %v", place.at, i, err)
			}
		}
	}
	if o.server.Sessions() != 0 {
		t.Errorf("%d connections", o.server.Sessions())
	}
	for i, err := range ways(olga(), acme) {
		if i >= 3 && err != nil { // the stored password cannot be opened without a key
			t.Errorf("an operator, way %d: %v", i, err)
		}
		if errors.Is(err, redisstore.ErrLocked) {
			t.Errorf("an operator, way %d: %v", i, err)
		}
	}
	if err := o.options.Store.Unlock(t.Context(), olga(), "acme", true); err != nil {
		t.Fatal(err)
	}
	for _, p := range []resolver.Place{acme, maxM} {
		for i, err := range ways(anna(), p) {
			if errors.Is(err, redisstore.ErrLocked) || i >= 3 && err != nil {
				t.Errorf("%s is unlocked, way %d: %v", p, i, err)
			}
		}
	}
}

// TestRecipient: O4. Who may get a test mail, and who gets it if nobody is named.
func TestRecipient(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(resolver.Place{}, &resolver.Entry{AdminAddress: "root@platform.example", Account: o.settings("noreply@platform.example")})
	o.put(acme, &resolver.Entry{AdminAddress: "it@acme.example", Account: o.settings("info@acme.example")})
	o.put(maxM, &resolver.Entry{Account: o.settings("max@acme.example")})
	globex := resolver.Place{Tenant: "globex"}
	typed := &resolver.Entry{AdminAddress: "victim@elsewhere.example", Account: o.settings("victim@elsewhere.example")}
	field := new(rohrpost.FieldError)
	for _, test := range []struct {
		name   string
		who    redisstore.Actor
		place  resolver.Place
		person string
		to     string
		typed  *resolver.Entry
		want   string // "": refused
	}{
		{"her own", anna(), acme, "anna@acme.example", "anna@acme.example", nil, "anna@acme.example"},
		{"her own, in other letters", anna(), acme, "anna@acme.example", "Anna@ACME.example", nil, "anna@acme.example"},
		{"the account's", anna(), acme, "anna@acme.example", "info@acme.example", nil, "info@acme.example"},
		{"the administrator's", anna(), acme, "", "it@acme.example", nil, "it@acme.example"},
		{"the user's", anna(), maxM, "", "max@acme.example", nil, "max@acme.example"},
		{"the administrator's of a user", anna(), maxM, "", "it@acme.example", nil, "it@acme.example"},
		{"nobody: hers", anna(), acme, "anna@acme.example", "", nil, "anna@acme.example"},
		{"nobody: the account's", anna(), acme, "", "", nil, "info@acme.example"},
		{"unsaved, to her", anna(), acme, "anna@acme.example", "anna@acme.example", typed, "anna@acme.example"},
		{"unsaved, to what is stored", anna(), acme, "", "", typed, "info@acme.example"},
		{"anybody", anna(), acme, "anna@acme.example", "victim@elsewhere.example", nil, ""},
		{"anybody, typed into the settings", anna(), acme, "anna@acme.example", "victim@elsewhere.example", typed, ""},
		{"the platform's administrator", anna(), acme, "", "root@platform.example", nil, ""},
		{"another user's", anna(), acme, "", "max@acme.example", nil, ""},
		{"two at once", anna(), acme, "anna@acme.example", "anna@acme.example, victim@elsewhere.example", nil, ""},
		{"a newcomer to anybody", bob(), globex, "", "victim@elsewhere.example", typed, ""},
		{"a newcomer to nobody", bob(), globex, "", "", typed, ""},
		{"a newcomer to himself", bob(), globex, "bob@globex.example", "", typed, "bob@globex.example"},
		{"an operator to anybody", olga(), acme, "", "victim@elsewhere.example", nil, "victim@elsewhere.example"},
		{"an operator to nobody", olga(), resolver.Place{}, "", "", nil, "noreply@platform.example"},
	} {
		before := o.server.Taken()
		try := accounts.Try{Who: test.who, Place: test.place, Person: test.person, To: rohrpost.Address{Address: test.to}, Unsaved: test.typed}
		r, err := o.TestMail(t.Context(), try)
		mails := o.server.Mails()[before:]
		switch {
		case test.want == "":
			if !errors.Is(err, accounts.ErrRecipient) && !errors.As(err, &field) || len(mails) != 0 {
				t.Errorf("%s: %+v, %v, %d mails", test.name, r, err, len(mails))
			}
		case err != nil || r.To != test.want || len(mails) != 1 || mails[0].Recipients[0] != test.want:
			t.Errorf("%s: %+v, %v, %d mails", test.name, r, err, len(mails))
		}
		if test.to == "" {
			continue // the doctor asks for nobody then
		}
		if _, err := o.Examine(t.Context(), try); (err == nil) != (test.want != "") {
			t.Errorf("%s, the doctor: %v", test.name, err)
		}
	}
}

package resolver

import (
	"errors"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
)

// TestSyntax: what the YAML library quotes of the file is not passed on.
func TestSyntax(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"yaml: line 3: cannot decode !!str `canary` as a !!int", "f.yaml:3: is no YAML: cannot decode !!str … as a !!int"},
		{"yaml: anchor 'canary' value contains itself", "f.yaml: is no YAML: anchor … value contains itself"},
		{"yaml: unknown anchor 'canary' referenced", "f.yaml:2: a value that begins with * must stand in quotes"},
	} {
		d := decoder{file: "f.yaml"}
		d.syntax([]byte("a: b\nc: *canary"), errors.New(tt.text))
		if got := errors.Join(d.errs...).Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// FuzzParse: whatever stands in the file, the answer is a snapshot whose
// accounts are valid, or errors of one line each.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"platform: {address: a@platform.example, smtp: {host: h.example, password_file: pw}}",
		"tenants: {acme: {admin_address: it@acme.example, account: {central_sender: S <s@acme.example>, aliases: [x@y.z], smtp: {port: 0x1}}, users: {max: {}}}}",
		"a: &x [*x, *x]\nplatform: *x",
		"platform: {<<: {address: a@b.example}, smtp: {password: !!binary Y2FuYXJ5}}",
		"? [a]\n: b\n---\n...",
		"platform:\n\tx: 1",
		"%YAML 9.9\n--- !t &a\nplatform: null",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parse("f.yaml", b, func(name string) (secret.String, error) {
			if name == "no" {
				return secret.String{}, errors.New("no such file")
			}
			return secret.New("canary"), nil
		})
		if err != nil {
			for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
				line, ok := errors.AsType[*LineError](e)
				if !ok || strings.ContainsAny(line.Error(), "\r\n") || line.Line < 0 || strings.Contains(line.Error(), "canary") && !strings.Contains(string(b), "canary") {
					t.Errorf("error %q", e)
				}
			}
			return
		}
		accounts := []*Account{s.platform}
		for _, tenant := range s.tenants {
			accounts = append(accounts, tenant.account)
			for _, user := range tenant.users {
				accounts = append(accounts, user.account)
			}
		}
		for _, a := range accounts {
			if a != nil && a.Validate() != nil {
				t.Errorf("%s: %v", a.ID(), a.Validate())
			}
		}
	})
}

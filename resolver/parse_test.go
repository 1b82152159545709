package resolver

import (
	"errors"
	"strings"
	"testing"
)

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
		s, err := parse("f.yaml", b, func(name string) ([]byte, error) {
			if name == "no" {
				return nil, errors.New("no such file")
			}
			return []byte("canary"), nil
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
		places := []*filed{s.platform}
		for _, tenant := range s.tenants {
			places = append(places, &tenant.filed)
			for _, user := range tenant.users {
				places = append(places, user)
			}
		}
		for _, p := range places {
			if p != nil && p.account != nil && p.account.Validate() != nil {
				t.Errorf("%s: %v", p.account.ID(), p.account.Validate())
			}
		}
	})
}

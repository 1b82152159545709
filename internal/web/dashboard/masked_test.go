package dashboard

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzMasked: no address survives in an error, and JSON stays JSON.
func FuzzMasked(f *testing.F) {
	f.Add("550 <", "> no such user")
	f.Add("a\n&\"\\", "\u2028")
	f.Add("to=b@c.example,", ",d@[192.0.2.1]")
	f.Fuzz(func(t *testing.T, before, after string) {
		text, err := json.Marshal(map[string]string{"error_message": before + "canary@c.example" + after})
		if err != nil {
			t.Skip(err)
		}
		got := masked(text)
		if strings.Contains(string(got), "canary@") || !json.Valid(got) {
			t.Errorf("%s became %s", text, got)
		}
	})
}

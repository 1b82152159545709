package resolver_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost/resolver"
)

// TestExample loads the example that is shipped, which shows every key.
func TestExample(t *testing.T) {
	t.Parallel()
	const path = "../configs/accounts.example.yaml"
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := candidates(t, f, "acme", "max")
	if c.Platform == nil || c.Tenant == nil || c.User == nil || c.TenantAdmin == "" || c.PlatformAdmin == "" {
		t.Errorf("a level is missing: %+v", c)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	keys(&doc, used)
	for key := range strings.FieldsSeq(`platform tenants admin_address account users first_name last_name address name central_sender
		force_sender reply_to_user use_platform_default fallback aliases reverse_path provider
		smtp host port encryption authentication username password password_file allow_plaintext_login max_connections
		limits per_minute per_hour per_day recipients_per_day recipients_per_mail
		oauth2 transport tenant cloud client_id client_secret_file refresh_token_file service_account_file endpoints authorize token api
		order manual automatic
		branding enabled company logo_file logo_alt logo_width colors background card text accent footer lines link link_text`) {
		if !used[key] {
			t.Errorf("the example does not show %s", key)
		}
	}
	// Of the advice, only what an example cannot avoid or shows on purpose.
	for _, w := range f.Warnings() {
		if !slices.ContainsFunc([]string{"cannot be read", "stands in clear", "encryption is none", "central sender"}, func(s string) bool { return strings.Contains(w, s) }) {
			t.Errorf("the example is warned about: %s", w)
		}
	}
}

func keys(n *yaml.Node, into map[string]bool) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			into[c.Value] = true
		}
		keys(c, into)
	}
}

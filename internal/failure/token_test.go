package failure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMicrosoftTokenErrors has every AADSTS number of the reference, with the
// `error` it comes with as a rule. The expectations do not come from rules.yaml.
func TestMicrosoftTokenErrors(t *testing.T) {
	t.Parallel()
	for _, group := range []struct {
		numbers  string
		code     string
		class    Class
		category string
	}{
		{"700082 70008 700084 70043 50089 50173 50132 50133 70000", "invalid_grant", Config, "oauth_expired"},
		{"50076 50079 50074 50072 50078 50158", "invalid_grant", Config, "oauth_interaction"},
		{"53003 53000 53001 53002 53011 50131 50005 50097 50129 530032", "invalid_grant", Config, "oauth_interaction"},
		{"530035", "invalid_grant", Config, "auth_disabled"},
		{"65001 65004 90094 90095 650056 90008 700020", "invalid_grant", Config, "oauth_consent"},
		{"7000215 70002", "invalid_client", Config, "oauth_client"},
		{"7000222", "invalid_client", Config, "oauth_client"},
		{"7000218 700025 700027 50012", "invalid_client", Config, "oauth_client"},
		{"700016 700011 70001 7000112 500011 650052 65005 650057", "unauthorized_client", Config, "oauth_client"},
		{"90002 50059 50128 50194 9001023 90038 500021", "invalid_request", Config, "config_invalid"},
		{"70011 28002 28003 700022 700023", "invalid_scope", Config, "config_invalid"},
		{"50034 51004 50020 16000", "invalid_grant", Config, "auth_failed"},
		{"50057 50055 50144 50126 50056 50064", "invalid_grant", Config, "auth_failed"},
		{"50053", "invalid_grant", Config, "auth_failed"},
		{"50105", "invalid_grant", Config, "oauth_consent"},
		{"54005 70018 70019 501481", "invalid_grant", Config, "oauth_interaction"},
		{"50033 50087 50088 90006 90012 90024 90033 90090 90091 70012 40010 80001 80002 80005 80014 50000", "server_error", Transient, "oauth_temporary"},
		{"90055 50196", "invalid_request", Throttle, "rate_limited"},
		{"80013 50013 500133", "invalid_grant", Config, "config_invalid"},
	} {
		for number := range strings.FieldsSeq(group.numbers) {
			name := "AADSTS" + number
			for where, text := range map[string]string{
				"description": name + ": Something about it. Trace ID: 0000",
				"error_codes": group.code + "|" + name + "|Something about it.",
			} {
				f := Classify(api(StageToken, 400, group.code, text))
				if f.Class != group.class || f.Category != group.category {
					t.Errorf("%s in the %s: %s %s, want %s %s", name, where, f.Class, f.Category, group.class, group.category)
				}
				if group.class == Throttle && f.RetryAfter < 5*time.Minute {
					t.Errorf("%s: again after %s", name, f.RetryAfter)
				}
			}
		}
	}
}

// TestTokenErrors has what `error` says without a number, at both providers.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status   int
		code     string
		text     string
		class    Class
		category string
	}{
		{400, "invalid_grant", "AADSTS1: a number that nobody knows", Config, "oauth_expired"},
		{400, "interaction_required", "", Config, "oauth_interaction"},
		{400, "login_required", "", Config, "oauth_interaction"},
		{400, "consent_required", "", Config, "oauth_consent"},
		{401, "invalid_client", "", Config, "oauth_client"},
		{400, "unauthorized_client", "", Config, "oauth_client"},
		{400, "unsupported_grant_type", "", Config, "oauth_client"},
		{400, "invalid_scope", "", Config, "config_invalid"},
		{400, "invalid_resource", "", Config, "config_invalid"},
		{400, "invalid_request", "", Config, "config_invalid"},
		{400, "temporarily_unavailable", "", Transient, "oauth_temporary"},
		{400, "server_error", "", Transient, "oauth_temporary"},
		{500, "", "", Transient, "oauth_temporary"},
		{408, "", "", Transient, "oauth_temporary"},
		{429, "", "", Throttle, "rate_limited"},

		{400, "invalid_grant", "Token has been expired or revoked.", Config, "oauth_expired"},
		{400, "invalid_grant", "Bad Request", Config, "oauth_expired"},
		{400, "invalid_grant", "Invalid JWT: Token must be short-lived. Check your iat and exp values", Config, "oauth_expired"},
		{400, "invalid_grant", "Invalid JWT Signature.", Config, "oauth_expired"},
		{400, "invalid_grant", "invalid_grant|invalid_rapt|reauth related error", Config, "oauth_interaction"},
		{400, "invalid_grant", "Invalid email or User ID", Config, "mailbox_not_found"},
		{401, "deleted_client", "", Config, "oauth_client"},
		{401, "disabled_client", "", Config, "oauth_client"},
		{401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method", Config, "oauth_client"},
		{400, "admin_policy_enforced", "", Config, "oauth_consent"},
		{400, "access_denied", "", Config, "oauth_consent"},
		{400, "org_internal", "", Config, "oauth_consent"},
		{500, "internal_failure", "", Transient, "oauth_temporary"},
		{503, "backend", "", Transient, "oauth_temporary"},
		{400, "rate_limit_exceeded", "", Throttle, "rate_limited"},
	} {
		f := Classify(api(StageToken, tt.status, tt.code, tt.text))
		if f.Class != tt.class || f.Category != tt.category {
			t.Errorf("%d %s %q: %s %s, want %s %s", tt.status, tt.code, tt.text, f.Class, f.Category, tt.class, tt.category)
		}
		if f.Hint("en") == Hint(fallback, "en") {
			t.Errorf("%d %s %q: nobody is told what to do", tt.status, tt.code, tt.text)
		}
	}
}

// TestTokenTroubleInside is no answer of a provider, and does not say so.
func TestTokenTroubleInside(t *testing.T) {
	t.Parallel()
	f := Classify(broken(StageToken, errors.New("the token store does not answer")))
	if f.Class != Transient || f.Rule != 106 {
		t.Errorf("%s of rule %s", f.Class, strconv.Itoa(f.Rule))
	}
	f = Classify(broken(StageToken, fmt.Errorf("%w: client_id is missing", ErrSettings)))
	if f.Class != Config || f.Category != "config_invalid" {
		t.Errorf("%s %s", f.Class, f.Category)
	}
}

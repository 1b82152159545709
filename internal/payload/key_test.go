package payload_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/quick"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

func TestKeyOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tenant, id string
		want       payload.Key
	}{
		{"", "invoice-4711", "invoice-4711"},
		{"acme", "invoice-4711", "invoice-4711,acme"},
		{"Acme.Corp_2-b", "a:b~c", "a:b~c,Acme.Corp_2-b"},
		{"Müller & Söhne", "a", "a,M~C3~BCller~20~26~20S~C3~B6hne"},
		{"a/b", "a", "a,a~2Fb"},
		{"", "invoice/4711", "invoice!4711"},
		{"acme", "a/b//c@d+e=f", "a!b!!c@d+e=f,acme"},
		{"a,b", "a", "a,a~2Cb"},
		{"a~2Cb", "a", "a,a~7E2Cb"},
		{"100%25", "a", "a,100~2525"},
		{"a{b}c", "a", "a,a~7Bb~7Dc"},
	} {
		key := payload.KeyOf(tt.tenant, tt.id)
		if key != tt.want {
			t.Errorf("key of %q of %q: %q, want %q", tt.id, tt.tenant, key, tt.want)
		}
		if id, tenant := key.Split(); id != tt.id || tenant != tt.tenant || key.ID() != tt.id || key.Bare() != (tt.tenant == "") {
			t.Errorf("%q splits into %q of %q, bare %t", key, id, tenant, key.Bare())
		}
	}
}

func TestJobKey(t *testing.T) {
	t.Parallel()
	job := payload.Job{Message: rohrpost.Message{ID: "a", Tenant: "acme"}}
	if got := job.Key(); got != "a,acme" {
		t.Errorf("key %q", got)
	}
	job.Bare = true
	if got := job.Key(); got != "a" {
		t.Errorf("key of an older version %q", got)
	}
}

// A key that nobody has made splits into something, too.
func TestSplitAny(t *testing.T) {
	t.Parallel()
	for key, want := range map[payload.Key][2]string{"": {}, ",": {}, "a,~zz": {"a", "~zz"}, "a,b,c": {"a", "b,c"}, ",b": {"", "b"}} {
		if id, tenant := key.Split(); id != want[0] || tenant != want[1] {
			t.Errorf("%q splits into %q of %q, want %q", key, id, tenant, want)
		}
	}
}

// Two jobs have one key only if they are the same one; and whatever a tenant is called,
// its key is one segment of a path in which nothing is escaped, and one hash tag.
func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	segment := regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)
	property := func(a, b string) bool {
		key := payload.KeyOf(a, "x:1~b")
		_, tenant := key.Split()
		_, rest, found := strings.Cut(string(key), ",")
		asked, err := url.ParseRequestURI("/tasks/" + string(key))
		return tenant == a && segment.MatchString(rest) && found == (a != "") &&
			err == nil && asked.Path == "/tasks/"+string(key) &&
			(key == payload.KeyOf(b, "x:1~b")) == (a == b)
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
	for _, pair := range [][2]string{{"", "a"}, {"a", "A"}, {"a,b", "a~2Cb"}, {"ü", "u"}, {"\xff", "\xfe"}, {".", ".."}} {
		if !property(pair[0], pair[1]) {
			t.Errorf("%q", pair)
		}
	}
}

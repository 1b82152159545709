package failure

import (
	"errors"
	"strings"
	"testing"
)

func TestScrub(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "mailbox unavailable", "mailbox unavailable"},
		{"address", "<anna.muster@example.org>: User unknown", "<a***@example.org>: User unknown"},
		{"address at the end", "no such user anna@example.org.", "no such user a***@example.org."},
		{"two addresses", "a.b@x.example not allowed to send as c.d@y.example", "a***@x.example not allowed to send as c***@y.example"},
		{"quoted local part", `"anna muster"@example.org rejected`, `a***@example.org rejected`},
		{"VERP", "bounces+anna=example.org@lists.example", "b***@lists.example"},
		{"international", "<änne@exämple.example> unknown", "<ä***@exämple.example> unknown"},
		{"address literal", "<root@[192.0.2.7]>", "<r***@[192.0.2.7]>"},
		{"query", "see https://postmaster.example/case?c=hi&i=ip&v=192.0.2.7 for why", "see https://postmaster.example/case for why"},
		{"fragment", "see https://a.example/x#token", "see https://a.example/x"},
		{"login in a URL", "get https://max:hunter2@a.example/x", "get https://a.example/x"},
		{"address in a path", "https://a.example/u/anna@example.org/x", "https://a.example/u/a***@example.org/x"},
		{"query without scheme", "www.a.example/q?ip=192.0.2.7", "www.a.example/q"},
		{"long path stays", "https://docs.a.example/exchange/troubleshoot/email/ndr/fix", "https://docs.a.example/exchange/troubleshoot/email/ndr/fix"},
		{"hex", "id 0123456789abcdef0123456789abcdef end", "id […] end"},
		{"base64", "got eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0= back", "got […] back"},
		{"23 characters stay", "id 0123456789abcdef0123456 end", "id 0123456789abcdef0123456 end"},
		{"names of exceptions stay", "STOREDRV.Submission.Exception:SubmissionQuotaExceededException; x", "STOREDRV.Submission.Exception:SubmissionQuotaExceededException; x"},
		{"trace ids stay", "trace 8f2c1f0e-1111-2222-3333-444455556666", "trace 8f2c1f0e-1111-2222-3333-444455556666"},
		{"long letters go", "key abcdefghijklmnopqrstuvwxyz", "key […]"},
		{"password", "login password=hunter2; user=max", "login password=[…]; user=max"},
		{"JSON", `{"client_secret": "s3cret", "x": 1}`, `{"client_secret": "[…]", "x": 1}`},
		{"header", "Authorization: Bearer abc.def.ghi", "Authorization: […]"},
		{"bearer", "sent Bearer abc.def", "sent Bearer […]"},
		{"AUTH line", "AUTH PLAIN AG1heABodW50ZXIy refused", "AUTH PLAIN […] refused"},
		{"line breaks", "a\r\nb\nINJECTED\tc", "a b INJECTED c"},
		{"escape sequence", "a\x1b[31mb", "a [31mb"},
		{"bidi and invisible", "a\u202eb\u200bc\u2028d", "a b c d"},
		{"invalid UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Scrub(tt.in); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestScrubCuts(t *testing.T) {
	t.Parallel()
	if got := []rune(Scrub(strings.Repeat("ä ", 249) + "xy")); len(got) != 500 || got[499] != 'y' {
		t.Errorf("500 characters must stay, %d do", len(got))
	}
	if got := []rune(Scrub(strings.Repeat("ä ", 250) + "xy")); len(got) != 500 || got[499] != '…' {
		t.Errorf("501 characters must be cut to 500, are %d", len(got))
	}
	// Cutting the input must not uncover what a whole address would have masked.
	long := strings.Repeat("0123456789abcdef", maxScrubbed/16-1) + " anna.muster@example.org"
	for n := len(long) - 24; n <= len(long); n++ {
		if got := Scrub(long[:n] + strings.Repeat("x", maxScrubbed)); strings.Contains(got, "nna") {
			t.Fatalf("cut at %d: %q", n, got)
		}
	}
}

// TestCanary sends secrets through every way into a failure.
func TestCanary(t *testing.T) {
	t.Parallel()
	secrets := []string{
		"Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA",
		"deadbeefdeadbeefdeadbeefdeadbeef",
		"eyJhbGciOiJSUzI1NiJ9eyJz.eyJzdWIiOiJjYW5hcnkiLCJzY29wZSI6Im1haWwifQ.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWc",
		"canary.bird@acme.example",
		"https://x.example/?e=canary.bird",
	}
	words := []string{"Zm9v", "deadbeef", "eyJ", "c2lnb", "canary.bird", "\n"}
	for _, s := range secrets {
		for _, form := range []string{s, "<" + s + ">", "(" + s + ")", "x=" + s, `"` + s + `"`, s + "\r\n" + s, s + "," + s} {
			for _, c := range []Cause{
				reply(StageRcpt, 550, form),
				reply(StageAuth, 334, "xyzzy|"+form),
				broken(StageAuth, errors.New(form)),
				api(StageToken, 400, "invalid_grant", "AADSTS700082 "+form),
			} {
				text := Classify(c).Error()
				for _, word := range words {
					if strings.Contains(text, word) {
						t.Errorf("%q is in %q", word, text)
					}
				}
			}
		}
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("550 <a@b.example> https://x/?y=z \x00 \xff")
	f.Add(`"a"@[::1] password=`)
	f.Fuzz(func(t *testing.T, s string) {
		checkScrubbed(t, Scrub(s))
		got := Scrub("x canary.bird@acme.example " + s)
		checkScrubbed(t, got)
		if strings.Contains(got, "canary.bird@acme.example") {
			t.Errorf("unmasked: %q", got)
		}
	})
}

// FuzzHarmless: what is taken for harmless is left as it is by the patterns too.
func FuzzHarmless(f *testing.F) {
	for _, seed := range []string{
		"2.0.0 Ok: queued as 4B1F2", "token : x", "auth plain xyz", "Bearer abc", "a  b", " a", "a ", "pass:word", "abcdefghijklmnopqrstuvwxyz", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if harmless(s) && scrub(s) != s {
			t.Errorf("%q is scrubbed to %q", s, scrub(s))
		}
	})
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"2.0.0 Ok: queued as 4B1F2C3D9E", "2.0.0 OK", "2.6.0 Queued mail for delivery"} {
		if !harmless(s) {
			t.Errorf("%q goes the slow way", s)
		}
	}
}

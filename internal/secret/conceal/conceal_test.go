package conceal_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"mime/quotedprintable"
	"net/url"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/conceal"
)

// canaries are secrets of many kinds.
func canaries() []string {
	return []string{
		"hunter2-canary", "pass", "Pa$$w0rd", "päßwörter-canary", `quo"te\back<slash>`, "correct horse battery staple",
		"550550550550", "a=b&c%zzd+e/f", "ya29." + strings.Repeat("A0b-C1d_E2f", 9),
	}
}

// writings are ways in which a server may write a secret.
func writings(s string) map[string]string {
	b64 := base64.StdEncoding.EncodeToString
	quoted := &strings.Builder{}
	w := quotedprintable.NewWriter(quoted)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	inJSON, _ := json.Marshal(s)
	var entities, unicodes, percents strings.Builder
	for _, c := range s {
		fmt.Fprintf(&entities, "&#%d;", c)
		fmt.Fprintf(&unicodes, `\u%04x`, c)
	}
	for i := range len(s) {
		fmt.Fprintf(&percents, "%%%02X", s[i])
	}
	return map[string]string{
		"plain": s, "upper case": strings.ToUpper(s), "lower case": strings.ToLower(s),
		"base64": b64([]byte(s)), "base64 without padding": base64.RawStdEncoding.EncodeToString([]byte(s)), "base64url": base64.URLEncoding.EncodeToString([]byte(s)),
		"PLAIN": b64([]byte("\x00max@acme.example\x00" + s)), "PLAIN of another": b64([]byte("eva\x00eva\x00" + s)), "PLAIN and more": b64([]byte("a\x00b\x00" + s + "\r\n")),
		"XOAUTH2": b64([]byte("user=max\x01auth=Bearer " + s + "\x01\x01")),
		"hex":     hex.EncodeToString([]byte(s)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(s))),
		"query": url.QueryEscape(s), "path": url.PathEscape(s), "every octet escaped": percents.String(),
		"quoted-printable": quoted.String(), "JSON": string(inJSON), "JSON, all escaped": unicodes.String(), "HTML": html.EscapeString(s), "entities": entities.String(),
		"Go": fmt.Sprintf("%q", s), "Go, ASCII": fmt.Sprintf("%+q", s),
		"spaced": strings.Join(strings.Split(s, ""), " "),
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, canary := range canaries() {
		set := conceal.New(secret.New(canary))
		for name, writing := range writings(canary) {
			if name == "HTML" && strings.ContainsAny(canary, `"<&'`) || len(canary) < 8 && strings.HasPrefix(name, "PLAIN") || name == "XOAUTH2" && len(canary) < 8 {
				continue // named entities; base64 that three letters decide
			}
			got := set.Text("535 you said " + writing + ", did you?")
			if got != "535 you said "+conceal.Redacted+", did you?" && !almost(name, got, writing) {
				t.Errorf("%q as %s: %q", canary, name, got)
			}
		}
	}
}

// almost allows what quotes or encodes something else around the secret.
func almost(name, got, writing string) bool {
	switch name {
	case "PLAIN", "PLAIN of another", "PLAIN and more", "XOAUTH2", "base64", "base64 without padding", "base64url", "JSON", "Go", "Go, ASCII":
		return strings.Contains(got, conceal.Redacted) && !strings.Contains(got, writing)
	}
	return false
}

// TestSplit has the secret in two pieces, at every place, as the lines of replies
// break it.
func TestSplit(t *testing.T) {
	t.Parallel()
	for _, canary := range canaries() {
		set := conceal.New(secret.New(canary))
		for _, between := range []string{"\n", "\r\n", " \r\n ", "\r\n535-", "\r\n535 ", "\r\n535-5.7.8 ", "\n5.7.8 ", "\n4.7.0 ", "=\r\n", "\u200b", "\u00a0"} {
			for at := 1; at < len(canary); at++ {
				first, second := canary[:at], canary[at:]
				got := set.Text("535-5.7.8 " + first + between + second + " was wrong")
				if want := conceal.Redacted + " was wrong"; !strings.HasSuffix(got, want) || len(got) > len("535-5.7.8 ")+len(want) {
					t.Fatalf("%q split by %q at %d: %q", canary, between, at, got)
				}
			}
		}
	}
}

// TestWithin has one piece in the text, the other before or after it.
func TestWithin(t *testing.T) {
	t.Parallel()
	for _, canary := range canaries() {
		set := conceal.New(secret.New(canary))
		for at := 1; at < len(canary); at++ {
			if got := set.Within("no: "+canary[:at], canary[at:]+" was wrong", "250 ok"); got != conceal.Redacted+" was wrong" {
				t.Errorf("%q begins before, %d: %q", canary, at, got)
			}
			if got := set.Within("250 ok", "wrong: "+canary[:at], "550-5.7.8 "+canary[at:]); got != "wrong: "+conceal.Redacted {
				t.Errorf("%q ends after, %d: %q", canary, at, got)
			}
		}
		if got := set.Within(canary, "nothing here", canary); got != "nothing here" {
			t.Errorf("%q", got)
		}
	}
}

// TestPart: a server that cuts its line leaves most of a secret.
func TestPart(t *testing.T) {
	t.Parallel()
	var token string
	for n := range 8 {
		sum := sha512.Sum512([]byte{byte(n)})
		token += base64.URLEncoding.EncodeToString(sum[:])
	}
	set := conceal.New(secret.New(token), secret.New("hunter2-canary"))
	for from := 0; from < len(token)-32; from += 7 {
		for _, size := range []int{32, 50, 100} {
			part := token[from:min(len(token), from+size)]
			if got := set.Text("bad token <" + part + ">"); len(got) > len("bad token <"+conceal.Redacted+">")+2 && len(part) >= 32 {
				t.Fatalf("%d to %d: %q", from, from+size, got)
			}
		}
	}
	if got := set.Text("hunter2-can"); got != conceal.Redacted {
		t.Errorf("%q", got)
	}
}

// TestLeftAlone: what is no secret stays.
func TestLeftAlone(t *testing.T) {
	t.Parallel()
	set := conceal.New(secret.New("the-password-of-max"), secret.New("abc"), secret.String{})
	for _, text := range []string{
		"", "2.0.0 Ok: queued as 4B1F2", "535 5.7.8 wrong user name or password", "abc", "a%4", `\`, "=", "&#;", "\xff\xfe", "%ZZ \\u12 &#x110000;",
		"the-\n550 other line\nof max",
	} {
		if got := set.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := (*conceal.Set)(nil).Text("x"); got != "x" {
		t.Error(got)
	}
}

// FuzzText finds any secret in any surroundings, and changes nothing else's length.
func FuzzText(f *testing.F) {
	f.Add("hunter2-canary", "535 ", " no")
	f.Add("aaaaaaaaaaaaaaaaaaaa", "aaaa", "aa\n550-")
	f.Add("\xff\xfe\x00\x80 x y", "=", "%")
	f.Fuzz(func(t *testing.T, s, before, after string) {
		set := conceal.New(secret.New(s))
		got := set.Text(before + s + after)
		if len(strings.Join(strings.Fields(s), "")) >= 8 && strings.Contains(got, s) && !strings.Contains(before+after+conceal.Redacted, s) && visible(s) {
			t.Errorf("%q is in %q", s, got)
		}
	})
}

func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// BenchmarkText is a usual reply, and a hostile one.
func BenchmarkText(b *testing.B) {
	set := conceal.New(secret.New("hunter2-canary"))
	for name, text := range map[string]string{
		"usual": "2.0.0 Ok: queued as 4B1F2", "8 KiB": strings.Repeat("hunter2-canar", 630), "32 KiB": strings.Repeat("hunter2-canar", 2520),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				set.Text(text)
			}
		})
	}
	b.Run("within", func(b *testing.B) {
		for b.Loop() {
			set.Within("2.1.0 Ok\n2.1.5 Ok\nEnd data with <CR><LF>.<CR><LF>", "2.0.0 Ok: queued as 4B1F2", "")
		}
	})
}

package errorlog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestFlat(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "550 5.1.1  <a@b>", "550 5.1.1  <a@b>"},
		{"lines", "one\r\ntwo\nthree\r", "one two three"},
		{"line separators", "one\u0085two\u2028three\u2029four\v\f", "one two three four"},
		{"escape", "\x1b[31mred\x7f", "[31mred"},
		{"bidi and invisible", "a\u202eb\u200bc\ufeffd", "a b c d"},
		{"letters", "Grüße 日本 👍", "Grüße 日本 👍"},
		{"broken UTF-8", "a\xffb", "a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := flat(tt.in); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, char := range []string{"x", "ü", "👍"} {
		full := strings.Repeat(char, maxText)
		if got := cut(full); got != full {
			t.Errorf("1000 × %s is cut", char)
		}
		if got, want := cut(full+char), strings.Repeat(char, maxText-1)+"…"; got != want {
			t.Errorf("1001 × %s: %d characters", char, utf8.RuneCountInString(got))
		}
	}
}

func TestMaskText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"none", "mailbox is full", "mailbox is full"},
		{"brackets", "<max@example.org>: no", "<m***@example.org>: no"},
		{"several", "a@b.example,cd@e.example;(f+g@h)", "a***@b.example,c***@e.example;(f***@h)"},
		{"mailto", "mailto:max@example.org", "mailto:m***@example.org"},
		{"end of a sentence", "no max@example.org.", "no m***@example.org."},
		{"quoted", `"max muster"@example.org`, "m***@example.org"},
		{"literal", "max@[192.0.2.1] gone", "m***@[192.0.2.1] gone"},
		{"international", "ödön@bücher.example", "ö***@bücher.example"},
		{"escaped", "?to=max%40example.org&x", "?***%40example.org&x"},
		{"rewritten", "bounce+max=example.org@srs.example", "b***@srs.example"},
		{"masked", "m***@example.org", "m***@example.org"},
		{"lone @", "a @ b", "a @ b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := maskText(tt.in); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestInertCell(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", ""},
		{"550 a=b", "550 a=b"},
		{"=1+1", "'=1+1"},
		{"+49 30", "'+49 30"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\t=1", "'=1"},
		{"\r\n=1", "'=1"},
		{" =1", "' =1"},
		{`a;=HYPERLINK("x")`, `a;'=HYPERLINK("x")`},
		{`a; "=1";b;-c`, `a;' "=1";b;'-c`},
		{"a, -b", "a, -b"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			if got := inertCell(tt.in, ","); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			swap := strings.NewReplacer(",", ";", ";", ",")
			if got, want := inertCell(swap.Replace(tt.in), ";"), swap.Replace(tt.want); got != want {
				t.Errorf("between semicolons: %q, want %q", got, want)
			}
		})
	}
}

func FuzzKept(f *testing.F) {
	for _, s := range []string{"", "a\r\nb", "\xff\u2028", strings.Repeat("ü\n", 2000), "'=1;\t@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := kept(s)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxText || kept(got) != got {
			t.Errorf("%q", got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) }); i >= 0 {
			t.Errorf("%q at %d", got, i)
		}
		for separator, other := range map[string]string{",": ";", ";": ","} {
			cell := inertCell(s, separator)
			for part := range strings.SplitSeq(cell, other) {
				if part = strings.TrimLeft(part, "\"\t "); part != "" && strings.ContainsRune("=+-@", rune(part[0])) {
					t.Errorf("formula in %q", cell)
				}
			}
		}
	})
}

// Whatever is found as an address after masking has a masked local part.
func FuzzMaskText(f *testing.F) {
	for _, s := range []string{"<max@example.org>", `"a b"@c`, "a%40b@c%40d", "a@b@c", "@", `""@x`, "ü@[1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		masked := maskText(s)
		for _, a := range addressInText.FindAllString(masked, -1) {
			if !strings.Contains(a, "***@") && !strings.Contains(a, "***%40") {
				t.Errorf("%q became %q with the address %q", s, masked, a)
			}
		}
	})
}

// Nothing that lies in Redis breaks a file.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "{", "null", `{"time":"2026-03-01T09:00:00Z","recipients":["a***@b"],"rule":3}`, `{"metadata":{"=a":";=b\n"},"next_attempt":"0000-00-00T00:00:00Z"}`,
		`{"time":"9999-12-31T23:59:59Z","recipients":null,"code":-1,"attempt":-1,"diagnostic":"\u2028=\u0000"}`,
	} {
		f.Add(s, "acme")
	}
	f.Fuzz(func(t *testing.T, s, tenant string) {
		at := time.UnixMilli(1772355600123).In(time.FixedZone("", 19800))
		e := decode(tenant, s, at)
		if e.Tenant != tenant {
			t.Errorf("tenant %q became %q", tenant, e.Tenant)
		}
		var b bytes.Buffer
		if err := Write(&b, e.Entry, JSONL, "en"); err != nil || bytes.Count(b.Bytes(), []byte("\n")) != 1 || !json.Valid(b.Bytes()) {
			t.Errorf("%v: %s", err, &b)
		}
		b.Reset()
		if err := Write(&b, e.Entry, CSV, "de"); err != nil {
			t.Error(err)
		}
		r := csv.NewReader(&b)
		r.Comma = ';'
		rows, err := r.ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != len(columns()) {
			t.Fatalf("%v: %q", err, rows)
		}
		for _, cell := range rows[0] {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) || strings.ContainsAny(cell, "\r\n") {
				t.Errorf("cell %q", cell)
			}
		}
		b.Reset()
		if err := Write(&b, e.Entry, Text, "en"); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(b.String()) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) {
				t.Errorf("line %q", line)
			}
		}
	})
}

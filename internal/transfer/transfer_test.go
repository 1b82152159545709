package transfer_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/quick"

	"github.com/rohrpost/rohrpost/internal/transfer"
)

// decoded is what a reader makes of an encoded text, with LF line ends.
func decoded(t *testing.T, body []byte, e transfer.Encoding) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	switch e {
	case transfer.Quoted:
		r = quotedprintable.NewReader(r)
	case transfer.Base64:
		r = base64.NewDecoder(base64.StdEncoding, r)
	case transfer.Plain:
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("%s: %v", e, err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// check encodes a text in each encoding that it can have, and looks at what comes out.
func check(t *testing.T, given string) transfer.Encoding {
	t.Helper()
	text := transfer.LineFeeds(given)
	chosen, _ := transfer.Choose(text)
	for _, e := range []transfer.Encoding{chosen, transfer.Quoted, transfer.Base64} {
		out := transfer.AppendText(context.Background(), nil, text, e)
		if got := strings.TrimSuffix(decoded(t, out, e), "\n"); got != strings.TrimSuffix(text, "\n") {
			t.Errorf("%s of %.100q is read as %.100q", e, text, got)
		}
		for line := range bytes.Lines(out) {
			if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > transfer.MaxLine+2 || bytes.ContainsAny(line[:len(line)-2], "\r\n") {
				t.Errorf("%s of %.100q: line %.100q", e, text, line)
			}
		}
		if e == chosen && int64(len(out)) > transfer.TextLen(given) {
			t.Errorf("%s of %.100q has %d octets, said were %d", e, given, len(out), transfer.TextLen(given))
		}
	}
	return chosen
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want transfer.Encoding
		most float64 // of the encoded size, by that of the text
	}{
		"empty":                 {"", transfer.Plain, 0},
		"English":               {strings.Repeat("All is well.\n", 100), transfer.Plain, 1.2},
		"German":                {strings.Repeat("Schöne Grüße aus Köln.\n", 100), transfer.Quoted, 1.7},
		"Russian":               {strings.Repeat("Счёт за март прилагается.\n", 100), transfer.Base64, 1.45},
		"Japanese":              {strings.Repeat("請求書を添付します。\r\n", 100), transfer.Base64, 1.45},
		"one long line":         {strings.Repeat("x", 5000), transfer.Quoted, 1.1},
		"a long line of equals": {strings.Repeat("=", 5000), transfer.Base64, 1.4},
		"998 octets":            {strings.Repeat("x", 998), transfer.Plain, 1.1},
		"999 octets":            {strings.Repeat("x", 999), transfer.Quoted, 1.1},
		"CR alone":              {"a\rb\r\rc", transfer.Plain, 3},
		"NUL":                   {"a\x00b", transfer.Quoted, 4},
	} {
		if got := check(t, tt.text); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		out := transfer.AppendText(context.Background(), nil, transfer.LineFeeds(tt.text), tt.want)
		if float64(len(out)) > tt.most*float64(len(tt.text)) {
			t.Errorf("%s: %d octets of %d", name, len(out), len(tt.text))
		}
	}
}

func TestAnyText(t *testing.T) {
	t.Parallel()
	pieces := []string{"a", "=", "ü", "Ж", "請", " ", "\t", "\n", "\r\n", "\r", ".", strings.Repeat("w", 70), strings.Repeat("v", 990), "😀"}
	err := quick.Check(func(picks []uint8) bool {
		var b strings.Builder
		for _, p := range picks {
			b.WriteString(pieces[int(p)%len(pieces)])
		}
		check(t, b.String())
		return !t.Failed()
	}, &quick.Config{MaxCount: 2000})
	if err != nil {
		t.Error(err)
	}
}

func TestBase64Len(t *testing.T) {
	t.Parallel()
	for n := range 400 {
		out := transfer.AppendBase64(context.Background(), nil, make([]byte, n))
		if got := transfer.Base64Len(int64(n)); got != int64(len(out)) {
			t.Fatalf("%d octets: %d, said were %d", n, len(out), got)
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	text := strings.Repeat("ü\n", 1<<20)
	for _, e := range []transfer.Encoding{transfer.Plain, transfer.Quoted, transfer.Base64} {
		if out := transfer.AppendText(ctx, nil, text, e); len(out) > 100<<10 {
			t.Errorf("%s: %d octets after the end", e, len(out))
		}
	}
}

package main

import (
	"io"
	"strings"
	"testing"
)

func TestPlainText(t *testing.T) {
	t.Parallel()
	const want = `{"text":"Grüße 😀"}`
	for name, text := range map[string]string{
		"UTF-8":          want,
		"with a mark":    "\xef\xbb\xbf" + want,
		"UTF-16, little": "\xff\xfe{\x00\"\x00t\x00e\x00x\x00t\x00\"\x00:\x00\"\x00G\x00r\x00\xfc\x00\xdf\x00e\x00 \x00=\xd8\x00\xde\"\x00}\x00",
		"UTF-16, big":    "\xfe\xff\x00{\x00\"\x00t\x00e\x00x\x00t\x00\"\x00:\x00\"\x00G\x00r\x00\xfc\x00\xdf\x00e\x00 \xd8=\xde\x00\x00\"\x00}",
	} {
		if got, err := io.ReadAll(plainText(strings.NewReader(text))); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, short := range []string{"", "{", "\xef\xbb", "\xff"} {
		if got, err := io.ReadAll(plainText(strings.NewReader(short))); err != nil || string(got) != short {
			t.Errorf("%q: %q, %v", short, got, err)
		}
	}
}

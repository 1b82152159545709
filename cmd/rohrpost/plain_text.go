package main

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
)

// plainText reads UTF-8 without the byte order mark that editors write before it, and
// UTF-16 with one, as a redirection in PowerShell writes it, as UTF-8.
func plainText(in io.Reader) io.Reader {
	b := bufio.NewReader(in)
	switch mark, _ := b.Peek(len("\xef\xbb\xbf")); {
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		_, _ = b.Discard(len(mark)) // it was seen
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(b)
	}
	return b
}

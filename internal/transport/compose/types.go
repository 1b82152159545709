package compose

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost/internal/idn"
)

// provenCharset is the charset of a text as its content proves it; empty: it proves none.
func provenCharset(content []byte) string {
	switch {
	case len(content) == 0, bytes.IndexByte(content, 0) >= 0, bytes.IndexByte(content, 0x1b) >= 0:
		return "" // ISO-2022 has escapes
	case idn.ASCII(string(content)):
		return "us-ascii"
	case utf8.Valid(content):
		return "utf-8"
	}
	return ""
}

// typeByName is the media type of a file by the ending of its name; empty: it is not
// known. The table is our own: that of a host may know little, and each host another one.
func typeByName(name string) string {
	return typesByEnding[strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))]
}

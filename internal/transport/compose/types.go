package compose

import (
	"path"
	"strings"
	"unicode/utf8"
)

// typeByName is the media type of a file by the ending of its name, without parameters;
// empty if the ending is not known. The table is our own: that of the host is empty in a
// container, and an .odt would leave as octets.
func typeByName(name string) string {
	ending := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	for _, typeOf := range [...]func(ending string) string{
		officeType, openOfficeType, textType, messageType, archiveType, pictureType, soundType, drawingType, bookType, programType,
	} {
		if media := typeOf(ending); media != "" {
			return media
		}
	}
	return ""
}

// provenCharset is "us-ascii" or "utf-8" if a text is shown to be that, and empty if it
// may be anything: a charset that is wrong damages the file where it is saved.
func provenCharset(content []byte) string {
	ascii := true
	for _, c := range content {
		if c >= utf8.RuneSelf {
			ascii = false
		} else if c < ' ' && (c < '\t' || c > '\r') || c == 0x7f { // ISO-2022 hides in ASCII, behind ESC
			return ""
		}
	}
	switch {
	case len(content) == 0:
		return ""
	case ascii:
		return "us-ascii"
	case utf8.Valid(content):
		return "utf-8"
	}
	return ""
}

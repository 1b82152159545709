package compose

import "github.com/rohrpost/rohrpost/internal/branding"

// A Load is how much there is to compose, in bytes.
type Load struct {
	Text, HTML, Files int64
	Look              *branding.Look // around HTML; may be nil
	NoTextPart        bool           // no text is made from HTML that stands alone
}

// What a byte becomes until the mail has left: as it was read, as a string, encoded,
// and for Microsoft Graph encoded once more. A body of umlauts alone grows to three
// times its size in quoted-printable; a page around HTML is put together of parts.
const (
	perMail     = 64 << 10
	perBodyByte = 8
	perFileByte = 5
	perPageByte = 16
	perTagByte  = 64 // of HTML that is read for a text: of an attribute of a character, its name in a table
)

// Memory is what Compose and the transports take for it at most, in bytes. What
// the garbage collector has not seen yet comes on top: at its default, as much again.
func (l *Load) Memory() int64 {
	total := perMail + perBodyByte*(l.Text+l.HTML) + perFileByte*l.Files
	if l.Text == 0 && !l.NoTextPart {
		total += perTagByte * l.HTML
	}
	if l.Look == nil || !l.Look.Enabled || l.HTML == 0 || l.HTML > branding.MaxHTML {
		return total
	}
	tree := branding.TreeBase + branding.TreePerByte*l.HTML
	return total + tree + perPageByte*l.HTML + perFileByte*int64(len(l.Look.Logo.Content))
}

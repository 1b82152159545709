package failure

import (
	"strings"
	"unicode/utf8"
)

// diagnostic is the text of a cause as people see it. All text that a server has sent
// passes through here, whole: a secret that is cut in two, by the end of a line or
// by what shortens the text, would no longer be known as one.
func diagnostic(c *Cause) string {
	conceal := c.Conceal
	if conceal == nil {
		conceal = func(s string) string { return s }
	}
	if c.Reply.Code == 0 {
		return Scrub(conceal(c.Err.Error()))
	}
	text := conceal(strings.Join(c.Reply.Lines, "\n"))
	if !utf8.ValidString(text) {
		text = conceal(Legible(text)) // a secret may have come back in another charset
	}
	return Scrub(Reply{Lines: strings.Split(text, "\n")}.Text())
}

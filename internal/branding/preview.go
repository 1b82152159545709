package branding

import (
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/rohrpost/rohrpost"
)

//go:embed sample.de.html sample.en.html
var samples embed.FS

// Preview writes a web page that needs no other file: a sample mail that wears
// the look, switched on or not. The mail is German for "de" (or "de-AT" …), else
// English. The error is the one of Validate, or of w.
func (l *Look) Preview(w io.Writer, lang string) error {
	if err := l.Validate(); err != nil {
		return err
	}
	name, subject := "sample.en.html", "Your invoice 4711"
	if lang, _, _ = strings.Cut(lang, "-"); strings.EqualFold(lang, "de") {
		name, subject = "sample.de.html", "Ihre Rechnung 4711"
	}
	sample, err := samples.ReadFile(name)
	if err != nil {
		return err
	}
	shown := *l
	shown.Enabled = true
	mail := &rohrpost.Message{Subject: subject, HTML: string(sample)}
	branded, err := shown.Wrap(mail)
	if err != nil {
		return fmt.Errorf("the sample mail cannot be branded: %w", err)
	}
	html := branded.HTML
	for _, a := range branded.Attachments {
		data := "data:" + a.ContentType + ";base64," + base64.StdEncoding.EncodeToString(a.Content)
		html = strings.ReplaceAll(html, "cid:"+a.ContentID, data)
	}
	_, err = io.WriteString(w, html)
	return err
}

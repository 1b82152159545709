package compose_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/emersion/go-message"
	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
)

// pixel is a GIF.
const pixel = "R0lGODdhAQABAIAAAP8AAP///ywAAAAAAQABAAACAkQBADs="

func look(t *testing.T) *branding.Look {
	t.Helper()
	logo, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		t.Fatal(err)
	}
	return &branding.Look{
		Enabled: true, Company: "Acme GmbH", Logo: branding.Logo{Content: logo},
		Footer: branding.Footer{Lines: []string{"Musterweg 1 · 12345 Musterstadt"}, Link: "https://acme.example/impressum"},
	}
}

func branded(t *testing.T, in compose.Input) compose.Input {
	t.Helper()
	in.Branding = look(t)
	return in
}

// TestBrandingS5: the logo stands beside the HTML, with what the mail itself
// shows there; the files stay outside, and the text stays as it is.
func TestBrandingS5(t *testing.T) {
	t.Parallel()
	type part struct{ Path, Type, Disposition, Name string }
	parts := func(in compose.Input) (out []part, text string) {
		e, err := message.Read(bytes.NewReader(mustCompose(t, in)))
		if err != nil {
			t.Fatal(err)
		}
		err = e.Walk(func(path []int, e *message.Entity, err error) error {
			if err != nil {
				return err
			}
			kind, _, _ := e.Header.ContentType()
			disposition, parameters, _ := e.Header.ContentDisposition()
			p := part{Type: kind, Disposition: disposition, Name: parameters["filename"]}
			for _, i := range path {
				p.Path += string(rune('1' + i))
			}
			if kind == "text/plain" {
				var b bytes.Buffer
				if _, err := b.ReadFrom(e.Body); err != nil {
					return err
				}
				text = b.String()
			}
			out = append(out, p)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out, text
	}
	got, text := parts(branded(t, everything()))
	want := []part{
		{"", "multipart/mixed", "", ""},
		{"1", "multipart/alternative", "", ""},
		{"11", "text/plain", "", ""},
		{"12", "multipart/related", "", ""},
		{"121", "text/html", "", ""},
		{"122", "image/png", "inline", "logo.png"},
		{"123", "image/gif", "inline", "logo.gif"},
		{"2", "application/pdf", "attachment", "Rechnung März.pdf"},
		{"3", "message/rfc822", "attachment", "mail.eml"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if _, plain := parts(everything()); plain != text {
		t.Errorf("text %q became %q", plain, text)
	}
	got, _ = parts(branded(t, input(rohrpost.Message{HTML: "<p>Hello."})))
	want = []part{
		{"", "multipart/alternative", "", ""},
		{"1", "text/plain", "", ""},
		{"2", "multipart/related", "", ""},
		{"21", "text/html", "", ""},
		{"22", "image/gif", "inline", "logo.gif"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts of HTML alone (-want +got):\n%s", diff)
	}
}

// TestUnbrandedS5: switched off, or without HTML, not a byte is another one.
func TestUnbrandedS5(t *testing.T) {
	t.Parallel()
	off := branded(t, everything())
	off.Branding.Enabled = false
	plain := input(rohrpost.Message{Text: "Hello.", Attachments: []rohrpost.Attachment{{Name: "a.txt", Content: []byte("a")}}})
	for name, c := range map[string]struct{ with, without compose.Input }{
		"switched off": {off, everything()},
		"text only":    {branded(t, plain), plain},
	} {
		want, got := fixedBoundaries(t, mustCompose(t, c.without)), fixedBoundaries(t, mustCompose(t, c.with))
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestBrandedAgain: each attempt sends the same mail.
func TestBrandedAgain(t *testing.T) {
	t.Parallel()
	in := branded(t, everything())
	first, second := fixedBoundaries(t, mustCompose(t, in)), fixedBoundaries(t, mustCompose(t, in))
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Error(diff)
	}
}

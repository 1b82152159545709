package plaintext_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/plaintext"
)

func TestFromHTML(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ html, want string }{
		"paragraphs":       {"<p>Guten Tag,</p>\n<p>anbei die\n  <b>Rechnung</b>.</p>", "Guten Tag,\n\nanbei die Rechnung."},
		"line breaks":      {"a<br>b<br/>\n c<div>d</div>e", "a\nb\nc\nd\ne"},
		"heading":          {"<h1>Titel</h1>Text", "Titel\n\nText"},
		"words in pieces":  {"Rech<b>nung</b> <i>4711</i>.", "Rechnung 4711."},
		"entities":         {"M&uuml;ller &amp; S&#246;hne&nbsp;GmbH &lt;x&gt;", "Müller & Söhne GmbH <x>"},
		"link":             {`<a href="https://acme.example/r?a=1&amp;b=2">Rechnung</a> ansehen`, "Rechnung (https://acme.example/r?a=1&b=2) ansehen"},
		"link as its text": {`<a href="https://acme.example/">https://acme.example</a> <a href="https://acme.example">acme.example</a>`, "https://acme.example acme.example"},
		"mail and phone":   {`<a href="mailto:a@acme.example">a@acme.example</a>, <a href="tel:+43123">anrufen</a>`, "a@acme.example, anrufen (+43123)"},
		"no link":          {`<a href="#top">oben</a> <a href="javascript:x()">hier</a> <a name="x">da</a>`, "oben hier da"},
		"link around a picture": {
			`<a href="https://acme.example/"><img src="x" alt="Acme"></a><a href="https://b.example/"><img src="y"></a>`,
			"Acme (https://acme.example/)https://b.example/",
		},
		"list":             {"Wir brauchen:<ul><li>eins<li>zwei\n<ul><li>zwei a</ul></ul>Danke", "Wir brauchen:\n\n- eins\n- zwei\n  - zwei a\n\nDanke"},
		"ordered list":     {"<ol><li><p>eins</p></li><li></li><li><p>drei</p></li></ol>", "1. eins\n\n3. drei"},
		"table":            {"<table><tr><th>Pos</th><th>Preis</th></tr><tr><td>Stuhl</td><td>1,00&nbsp;€</td></tr><tr><td></td><td>Ende</td></tr></table>", "Pos  Preis\nStuhl  1,00 €\nEnde"},
		"layout by tables": {"<table><tr><td><p>Guten Tag</p></td></tr><tr><td><p>anbei</p></td></tr></table>", "Guten Tag\n\nanbei"},
		"quotation":        {"Antwort<blockquote><p>Frage</p><p>noch eine</p></blockquote>Ende", "Antwort\n\n> Frage\n>\n> noch eine\n\nEnde"},
		"pre":              {"<pre>a  b\n\n  c</pre>d", "a  b\n\n  c\n\nd"},
		"rule":             {"a<hr>b", "a\n\n----------\n\nb"},
		"not shown":        {"<html><head><title>T</title><style>p{}</style></head><body><script>x()</script><!-- y -->z</body>", "z"},
		"hidden":           {`<div style="display:none">Vorschau <div>x</div></div><span hidden>y</span><p style="font-size: 0 !important">q<p>z`, "z"},
		"for Outlook":      {"<!--[if mso]><p>mso</p><![endif]--><![if !mso]>x<![endif]>", "x"},
		"an open head":     {"<head><meta charset=utf-8><p>text", "text"},
		"soft hyphens":     {"Rech&shy;nung\u200b 1", "Rechnung 1"},
		"only a picture":   {`<img alt="Plan" src="cid:x">`, "Plan"},
		"nothing":          {"<p> </p><img src=x>", ""},
		"no HTML":          {"a < b & c", "a < b & c"},
		"closed too often": {"</ul></div></blockquote></a></td>x</li>", "x"},
	} {
		got, err := plaintext.FromHTML(t.Context(), tt.html)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzFromHTML(f *testing.F) {
	for _, s := range []string{"<p>a<ul><li>b", "<a href=x>\xff</a>", "<pre>\n\n\x00a</pre>", "<blockquote><blockquote>a\u2028b", "<td><td>a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		text, err := plaintext.FromHTML(t.Context(), source)
		if err != nil || !utf8.ValidString(text) {
			t.Fatalf("%q, %v", text, err)
		}
		for line := range strings.SplitSeq(text, "\n") {
			if strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) || strings.HasSuffix(line, " ") {
				t.Errorf("line %q", line)
			}
		}
	})
}

// TestWorkIsLinear: twice the HTML is twice the work, whatever it is made of.
func TestWorkIsLinear(t *testing.T) {
	for _, s := range append(growthtest.Shapes(), growthtest.Tags()...) {
		t.Run(s.Name, func(t *testing.T) {
			growthtest.Linear(t, 96<<10, func(size int) func() {
				source := s.Make(size)
				return func() { _, _ = plaintext.FromHTML(context.Background(), source) }
			})
		})
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := plaintext.FromHTML(ctx, strings.Repeat("<b>x", 1<<20)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkFromHTML(b *testing.B) {
	source := strings.Repeat(`<tr><td style="padding: 4px">Stuhl &uuml;</td><td><a href="https://acme.example/4711">1.000,00&nbsp;€</a></td></tr>`, 40)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, err := plaintext.FromHTML(b.Context(), "<table>"+source+"</table>"); err != nil {
			b.Fatal(err)
		}
	}
}

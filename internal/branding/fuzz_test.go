package branding_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
)

const (
	headerText = "Acme & Söhne <GmbH>"
	footerText = "Musterweg 1acme.example/impressum"
)

func framed() *branding.Look {
	return &branding.Look{
		Enabled: true, Company: headerText,
		Footer: branding.Footer{Lines: []string{"Musterweg 1"}, Link: "https://acme.example/impressum"},
	}
}

// hostile is HTML that tries to leave the card, or that parsers disagree on.
var hostile = []string{
	"", " ", "Hello", "<p>Hello", newsletter, "<b><i>open", "</td></tr></table></body></html>after",
	"</div></td></tr></table></td></tr></table>x", "<table><tr><td>a<table><tr><td>b", "<table>foster<tr><td>x</td>y</tr></table>",
	"<!--", "<!-- open", "<!--[if mso]><table><tr><td><![endif]-->x<!--[if mso]></td></tr></table><![endif]-->", "<![if !mso]>x<![endif]>", "<!-->x", "<!--a--!>b<!--->c",
	"<plaintext>a</td></table>", "<noscript></td></tr></table>&lt;/td&gt;</noscript>", "<textarea></td></table>", "<title></td></title>x", "<style></td></table>", "<xmp></td></xmp", "<iframe></td></iframe>x",
	"<script><!--<script>", "<script><!--<script></script>x", "<head><script type='application/ld+json'><!--<script></script></script></head>x", "<script>alert(1)</script>x", "a<script type=application/ld+json><!--<script>", "a<script type=application/ld+json></script",
	"<frameset><frame><noframes>a</noframes></frameset>", "a<frameset>b", "<body class=a><body bgcolor=red>x", "<html dir=rtl lang=ar><body>x", "<select><option>a</td><table><tr><td>b",
	"<form><math><mtext></form><form><mglyph><style></math></td></tr></table>x</style></mglyph></form></math>", "<svg><desc><td>x</td></desc></svg>", "<svg><style><!--</style></td></tr></table>--></style></svg>",
	"<math><annotation-xml encoding='text/html'><td></td></annotation-xml></math>x", "<svg><p>x</svg></td>", "<template><td>x</td></template>y", "<template></td></tr></table>x", "<svg><circle r='1'/></svg>x",
	"<p><table><tr><td>x</td></tr></table></p>", "<a href=1><table><tr><td><a href=2>x", "<button><p>a<button>b", "<pre>\n\nx</pre>", "\x00a\x00", "\xff\xfe", "a\r\nb\rc", "&lt;/td&gt;&amp;lt;&nbsp;",
	"<td>a</td><tr><td>b", "<caption>x</caption>", "<col><colgroup>", "<h1><h2>a</h1>", "<li>a<li>b<dd>c", "<body style=\"a:'b\" id='\"><td>'>x", "<image src=x>", "<isindex>", "<ruby><rt>a<rp>b", "<nobr>a<nobr>b",
}

// FuzzWrap shows that no HTML panics, loses its text or leaves the card.
func FuzzWrap(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		m := &rohrpost.Message{HTML: source}
		out, err := framed().Wrap(m)
		if err != nil || out == m {
			return
		}
		for _, scripting := range []bool{false, true} {
			root, err := html.ParseWithOptions(strings.NewReader(out.HTML), html.ParseOptionEnableScripting(scripting))
			if err != nil {
				t.Fatal(err)
			}
			checkFrame(t, root, out.HTML)
		}
		// A frameset has no body to compare with.
		if original := bodyOf(parse(t, "<!DOCTYPE html>"+source)); original != nil {
			got := text(find(parse(t, out.HTML), "rohrpost-body")[0])
			if want := text(original); got != want {
				t.Fatalf("text %q became %q in %q", want, got, out.HTML)
			}
		}
		if again, _ := framed().Wrap(m); again.HTML != out.HTML {
			t.Fatal("not the same again")
		}
	})
}

// checkFrame looks at where header, cell and footer are, and at what stands outside the cell.
func checkFrame(t *testing.T, root *html.Node, page string) {
	t.Helper()
	frame := []string{"html", "body", "table", "tbody", "tr", "td", "table.rohrpost-frame", "tbody", "tr"}
	for name, want := range map[string][]string{
		"rohrpost-header": append(slices.Clip(frame), "td.rohrpost-header"),
		"rohrpost-footer": append(slices.Clip(frame), "td.rohrpost-footer"),
		"rohrpost-body":   append(slices.Clip(frame), "td.rohrpost-card", "div", "table", "tbody", "tr", "td.rohrpost-body"),
	} {
		found := find(root, name)
		if len(found) == 0 {
			t.Fatalf("no %s in %q", name, page)
		}
		place := found[0]
		if name == "rohrpost-footer" {
			place = found[len(found)-1]
		}
		if got := strings.Join(path(place), " "); got != strings.Join(want, " ") {
			t.Fatalf("%s is at %s in %q", name, got, page)
		}
	}
	want := squeeze(headerText) + text(find(root, "rohrpost-body")[0]) + squeeze(footerText)
	if got := text(bodyOf(root)); got != want {
		t.Fatalf("the page says %q, want %q in %q", got, want, page)
	}
}

func find(root *html.Node, name string) []*html.Node {
	var out []*html.Node
	for n := range root.Descendants() {
		if first, _, _ := strings.Cut(class(n), " "); first == name {
			out = append(out, n)
		}
	}
	return out
}

func path(n *html.Node) []string {
	var out []string
	for ; n != nil && n.Type == html.ElementNode; n = n.Parent {
		name := n.Data
		if c, _, _ := strings.Cut(class(n), " "); strings.HasPrefix(c, "rohrpost-") {
			name += "." + c
		}
		out = append([]string{name}, out...)
	}
	return out
}

func bodyOf(root *html.Node) *html.Node {
	for n := range root.Descendants() {
		if n.DataAtom == atom.Body {
			return n
		}
	}
	return nil
}

// text is all text that can be shown, without white space.
func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return squeeze(n.Data)
	}
	switch n.Data {
	case "script", "style", "template", "noframes":
		return ""
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(text(c))
	}
	return b.String()
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

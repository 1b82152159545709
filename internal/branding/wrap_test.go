package branding_test

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
)

// TestUntouchedS5: without a look, or where none can be put on, it is the same
// message that comes back (row S5: "when switched on").
func TestUntouchedS5(t *testing.T) {
	t.Parallel()
	on := &branding.Look{Enabled: true}
	for name, c := range map[string]struct {
		look *branding.Look
		html string
	}{
		"no look":             {nil, "<p>x"},
		"switched off":        {&branding.Look{Company: "Acme"}, "<p>x"},
		"no HTML":             {on, ""},
		"look is not valid":   {&branding.Look{Enabled: true, Company: "a\nb"}, "<p>x"},
		"HTML too large":      {on, strings.Repeat("x", 1<<20+1)},
		"too many tags":       {on, strings.Repeat("<p>x", 100_000)},
		"never closed":        {on, "<p>" + unclosed(100) + strings.Repeat("<p>x", 10_000)},
		"nested too deeply":   {on, strings.Repeat("<div>", 500)},
		"nested much deeper":  {on, strings.Repeat("<div>", 5000)},
		"different each time": {on, "<form><math><mtext></form><form><mglyph><style></math></td></tr></table>x</style></mglyph></form></math>"},
	} {
		m := &rohrpost.Message{Text: "text", HTML: c.html, Attachments: []rohrpost.Attachment{{Name: "a.pdf"}}}
		got, err := c.look.Wrap(m)
		if got != m {
			t.Errorf("%s: %.1000q", name, got.HTML)
		}
		if wanted := c.look != nil && c.look.Enabled && c.html != ""; wanted != (err != nil) {
			t.Errorf("%s: the reason is %v", name, err)
		}
	}
}

func TestWrapS5(t *testing.T) {
	t.Parallel()
	look := looks(t)["night"]
	backing := make([]rohrpost.Attachment, 1, 8)
	backing[0] = rohrpost.Attachment{Name: "a.pdf"}
	m := &rohrpost.Message{Subject: "A < B", Text: "text", HTML: "<p>Hello", Attachments: backing, Tenant: "acme"}
	got, err := look.Wrap(m)
	if err != nil {
		t.Fatal(err)
	}
	if m.HTML != "<p>Hello" || len(m.Attachments) != 1 || backing[:2][1].Name != "" {
		t.Error("the message was changed")
	}
	if got.Text != "text" || got.Tenant != "acme" || len(got.Attachments) != 2 {
		t.Errorf("got %+v", got)
	}
	logo := got.Attachments[1]
	if logo.Name != "logo.png" || logo.ContentType != "image/png" || !bytes.Equal(logo.Content, look.Logo.Content) {
		t.Errorf("logo %s %s", logo.Name, logo.ContentType)
	}
	if !regexp.MustCompile(`^logo1\.[0-9a-f]{16}@rohrpost\.invalid$`).MatchString(logo.ContentID) || url.PathEscape(logo.ContentID) != logo.ContentID {
		t.Errorf("content id %s", logo.ContentID)
	}
	for _, want := range []string{`<img src="cid:` + logo.ContentID + `" width="240" alt="Night Shift"`, "<title>A &lt; B</title>", `content="dark only"`, "a{color:#7cc4ff}"} {
		if !strings.Contains(got.HTML, want) {
			t.Errorf("%s is missing in %s", want, got.HTML)
		}
	}
	again, _ := looks(t)["night"].Wrap(m)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("another attempt: %s", diff)
	}
}

// TestContentID: a mail that quotes a branded one has the logo already.
func TestContentID(t *testing.T) {
	t.Parallel()
	look := looks(t)["night"]
	m := &rohrpost.Message{HTML: "x"}
	for n := 1; n < 4; n++ {
		m, _ = look.Wrap(m)
		seen := map[string]bool{}
		for _, a := range m.Attachments {
			seen[strings.ToLower(a.ContentID)] = true
		}
		if len(seen) != n {
			t.Errorf("content ids %v", seen)
		}
		if last := m.Attachments[n-1].ContentID; strings.Index(m.HTML, "cid:") != strings.Index(m.HTML, "cid:"+last) {
			t.Errorf("the header does not show %s: %s", last, m.HTML)
		}
		m.Attachments[n-1].ContentID = strings.ToUpper(m.Attachments[n-1].ContentID)
	}
}

// TestEscaped: what administrators enter is text wherever it stands.
func TestEscaped(t *testing.T) {
	t.Parallel()
	const evil = `"'></td><script>alert(1)</script>{{.}}&amp;`
	look := &branding.Look{
		Enabled: true, Company: evil,
		Footer: branding.Footer{Lines: []string{evil}, Link: `https://a.example/"><script>`, LinkText: evil},
	}
	for _, withLogo := range []bool{false, true} {
		if withLogo {
			look.Logo = branding.Logo{Content: encoded(t, "gif", 10, 10), Alt: evil}
		}
		wrapped, _ := look.Wrap(&rohrpost.Message{Subject: "</title>" + evil, HTML: "x"})
		out := wrapped.HTML
		if strings.Contains(out, "<script") || strings.Contains(out, "ZgotmplZ") {
			t.Errorf("not escaped: %s", out)
		}
		root := parse(t, out)
		if got := text(find(root, "rohrpost-footer")[0]); got != squeeze(evil+evil) {
			t.Errorf("footer %q", got)
		}
		header := find(root, "rohrpost-header")[0]
		if withLogo {
			if got := attr(header.FirstChild, "alt"); got != evil {
				t.Errorf("alt %q", got)
			}
		} else if got := text(header); got != squeeze(evil) {
			t.Errorf("header %q", got)
		}
	}
}

// TestOwnPage: what a mail says of its page holds for its cell.
func TestOwnPage(t *testing.T) {
	t.Parallel()
	const plain = "padding:24px;border:0;color:#1f2933;font-family:Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;text-align:left;vertical-align:top;word-wrap:break-word;"
	colored := func(ground, color string) string {
		return strings.Replace(plain, "color:#1f2933", "background-color:"+ground+";color:"+color, 1)
	}
	for name, c := range map[string]struct {
		html  string
		cell  map[string]string
		has   []string
		lacks []string
	}{
		"fragment": {"<p>x", map[string]string{"style": plain}, []string{"a{color:#0b5cad}"}, []string{"rohrpost-body{"}},
		"attributes": {
			`<body id=top class="a b" lang=fr onload=x() title=t><p>x`,
			map[string]string{"class": "rohrpost-body a b", "id": "top", "lang": "fr", "style": plain},
			nil,
			[]string{"onload"},
		},
		"language of the document": {`<html lang=ar dir=RTL><p>x`, map[string]string{"lang": "ar", "dir": "RTL", "style": strings.Replace(plain, "left", "right", 1)}, nil, nil},
		"colors in attributes": {
			`<body bgcolor=222 text=white><p>x`,
			map[string]string{"bgcolor": "#222", "style": colored("#222", "white")},
			nil,
			[]string{"a{color"},
		},
		"ground in an attribute": {`<body bgcolor=#FFEEDD><p>x`, map[string]string{"bgcolor": "#FFEEDD", "style": colored("#FFEEDD", "#000000")}, nil, nil},
		"colors in a style": {
			`<body style="Color:red;quotes:&quot;'&quot;"><p>x`,
			map[string]string{"bgcolor": "#ffffff", "style": colored("#ffffff", "#000000") + `Color:red;quotes:"'"`},
			nil, nil,
		},
		"no color": {`<body bgcolor="url(x)" text="a;b"><p>x`, map[string]string{"bgcolor": "#ffffff", "style": colored("#ffffff", "#000000")}, nil, nil},
		"rules": {
			`<head><style>body{margin:0}</style></head><body style="x:y">x`,
			map[string]string{"style": "x:y"},
			[]string{"<style>.rohrpost-body{" + plain + "}</style>\n<style>.rohrpost-body{margin:0}</style>", "a{color:"},
			nil,
		},
		"rules with colors": {
			`<style>body{color:red}</style>x`,
			map[string]string{"bgcolor": "#ffffff"},
			[]string{"<style>.rohrpost-body{" + colored("#ffffff", "#000000") + "}</style>"},
			[]string{"a{color"},
		},
		"head": {
			`<head><title> A &amp; B </title><meta charset=latin1><meta http-equiv=refresh content=0><style media=print>p{a:b}</style><link rel=stylesheet href=x><!--[if mso]><xml>&nbsp;</xml><![endif]--><noscript><style>u{}</style></noscript></head>x`,
			nil,
			[]string{"<title>A &amp; B</title>", `<style media="print">p{a:b}</style>`, `<link rel="stylesheet" href="x"/>`, "<!--[if mso]><xml>\u00a0</xml><![endif]-->"},
			[]string{"latin1", "refresh", "noscript"},
		},
		"structured data": {
			`<head><script type="application/ld+json">{"@type":"Order"}</script><script>a()</script></head>x<script src=b></script><script TYPE=application/LD+json>{"c":1}</script>`,
			nil,
			[]string{`<script type="application/ld+json">{"@type":"Order"}</script>`, `{"c":1}`},
			[]string{"a()", "src=", "<script>"},
		},
		"seen by all but Outlook": {`<![if !mso]>x<![endif]><!--[if !mso]><!-->y<!--<![endif]-->`, nil, []string{"<![if !mso]>x<![endif]><!--[if !mso]><!-->y<!--<![endif]-->"}, nil},
		"comment before the page": {"<!--[if mso]><table><![endif]--><html><!--a--><body>x</body><!--b--></html><!--c-->", nil, []string{"<!--[if mso]><table><![endif]--><!--a-->x"}, nil},
		"style of a fragment":     {"<!--a-->b<style>p{c:d}</style>e", nil, []string{"<style>p{c:d}</style></head>", "<!--a-->be</td>"}, nil},
		"frameset":                {"<frameset><noframes>x</noframes></frameset>", nil, []string{"<noframes>x</noframes>"}, []string{"frameset"}},
		"a picture of the mail":   {`<img src="cid:a@b"><svg width="1"><circle r="1"/></svg>`, nil, []string{`<img src="cid:a@b"/>`, `<circle r="1">`}, nil},
		"plaintext":               {"<plaintext>a</td>", nil, []string{"<pre>a&lt;/td&gt;</pre>"}, nil},
		"noscript":                {"<noscript><b>a</noscript>", nil, []string{"<div><b>a</b></div>"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := wrap(t, framed(), c.html)
			root := parse(t, out)
			cell := find(root, "rohrpost-body")[0]
			for key, want := range c.cell {
				if got := attr(cell, key); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
			for _, want := range c.has {
				if !strings.Contains(out, want) {
					t.Errorf("%s is missing in %s", want, out)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(out, not) {
					t.Errorf("%s is in %s", not, out)
				}
			}
			checkFrame(t, root, out)
		})
	}
}

// TestFrame: what mail programs ask of a page.
func TestFrame(t *testing.T) {
	t.Parallel()
	for name, look := range looks(t) {
		root := parse(t, wrap(t, look, "x"))
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			switch n.Data {
			case "script", "link", "iframe", "form":
				t.Errorf("%s: <%s>", name, n.Data)
			case "table":
				if attr(n, "role") != "presentation" {
					t.Errorf("%s: a table that is read out as one", name)
				}
			case "img":
				if !strings.HasPrefix(attr(n, "src"), "cid:") || attr(n, "alt") == "" {
					t.Errorf("%s: %v", name, n.Attr)
				}
			}
		}
	}
}

// TestLogoWidth: a logo that nobody has measured is neither too wide nor too high.
func TestLogoWidth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ width, height, asked, want int }{
		"small": {40, 20, 0, 40}, "wide": {2000, 100, 0, 240}, "high": {100, 960, 0, 10}, "very high": {1, 5000, 0, 1}, "asked": {40, 20, 600, 600},
	} {
		look := &branding.Look{Enabled: true, Logo: branding.Logo{Content: encoded(t, "png", c.width, c.height), Width: c.asked}}
		if out := wrap(t, look, "x"); !strings.Contains(out, `width="`+strconv.Itoa(c.want)+`"`) {
			t.Errorf("%s: not %d px in %s", name, c.want, out)
		}
	}
}

func BenchmarkWrap(b *testing.B) {
	const row = `<tr><td style="padding:8px">Wartung im März</td><td align="right" style="padding:8px">420,00&nbsp;€</td></tr>` + "\n"
	look := looks(b)["night"]
	m := &rohrpost.Message{HTML: "<html><head><style>body{margin:0} td{padding:2px}</style></head><body><p>Guten Tag</p><table>" + strings.Repeat(row, (20<<10)/len(row)) + "</table></body></html>"}
	b.SetBytes(int64(len(m.HTML)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := look.Wrap(m); err != nil {
			b.Fatal(err)
		}
	}
}

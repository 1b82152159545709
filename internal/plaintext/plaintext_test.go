package plaintext_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost/internal/plaintext"
)

func TestFromHTML(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ html, want string }{
		"nothing":               {"", ""},
		"text":                  {"a\n b", "a b"},
		"paragraphs":            {"<p>a</p> <p>b<p>c", "a\n\nb\n\nc"},
		"divisions":             {"<div>a</div><div>b</div>c", "a\nb\nc"},
		"breaks":                {"a<br>b<br><br>c<br><br><br>d", "a\nb\n\nc\n\nd"},
		"break ends a division": {"<div>a<br></div><div>b</div>", "a\nb"},
		"an empty paragraph":    {"a</p>b", "a\n\nb"},
		"a break's end":         {"a</br>b", "a\nb"},
		"headings":              {"<h1>a</h1>b<h2>c</h2>", "a\n\nb\n\nc"},
		"rule":                  {"a<hr>b", "a\n\n---\n\nb"},
		"references":            {"&lt;&amp;&euro;&#8364;&#x20ac;&nbsp;x&copy y", "<&€€€ x© y"},
		"no reference":          {"a & b &xyz; &#xD800;", "a & b &xyz; \ufffd"},
		"soft hyphens":          {"a&shy;b\u200bc\ufeffd", "abcd"},
		"joiners":               {"می\u200cخواهم a\u200db \u200c x", "می\u200cخواهم ab x"},
		"directions":            {"a\u202eb\u2066c", "abc"},
		"control characters":    {"a\x01b\x7f\u0085c\x00", "ab c"},
		"not UTF-8":             {"a\xffb", "a\ufffdb"},

		"list":               {"<ul><li>a<li>b<p>c</ul>d", "- a\n- b\n\n  c\n\nd"},
		"ordered":            {"<ol><li>a<li value=7>b<li>c</ol>", "1. a\n7. b\n8. c"},
		"ordered from":       {"<ol start=9><li>a<br>x<li>b<br>y</ol>", "9. a\n   x\n10. b\n    y"},
		"nested":             {"<ul><li>a<ol><li>b</ol><li>c</ul>", "- a\n  1. b\n- c"},
		"nested, no item":    {"<ul><li>a</li><ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"},
		"empty item":         {"<ul><li></li><li>b</ul><p>c", "- b\n\nc"},
		"an item alone":      {"<li>a", "- a"},
		"quote":              {"a<blockquote><p>b<p>c<blockquote>d</blockquote></blockquote>e", "a\n\n> b\n>\n> c\n>\n> > d\n\ne"},
		"quote of a list":    {"<blockquote><ul><li>a<br>b</ul></blockquote>", "> - a\n>   b"},
		"terms":              {"<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\n  b\nc\n  d"},
		"pre":                {"<pre>\n  a\n\n\n\tb  \n</pre>c", "  a\n\n\tb\n\nc"},
		"style keeps blanks": {`<p style="white-space: pre-wrap">a  b`, "a  b"},
		"xmp":                {"<xmp><b>&lt;</xmp>", "<b>&lt;"},

		"link":               {`<a href="https://a.b/c">x</a>.`, "x <https://a.b/c>."},
		"link says it":       {`<a href="https://a.b/c/">https://a.b/c</a>`, "https://a.b/c"},
		"link says it short": {`<a href="https://a.b/">www.a.b</a>`, "www.a.b"},
		"link lies":          {`<a href="https://e.f/">https://a.b/</a>`, "https://a.b/ <https://e.f/>"},
		"mail":               {`<a href="mailto:a%2Bc@b.c?subject=x">write</a> <a href=MAILTO:a@b.c>a@b.c</a>`, "write <a+c@b.c> a@b.c"},
		"telephone":          {`<a href="tel:+4989123">call</a> <a href="tel:+4989123">+49 (89) 123</a>`, "call <+4989123> +49 (89) 123"},
		"other schemes":      {`<a href="javascript:x">a</a> <a href="data:,x">b</a> <a href="#c">c</a> <a href="/d">d</a> <a href=" ">e</a> <a href="http:f">f</a>`, "a b c d e f"},
		"hostile address":    {"<a href='https://a.b/x> y\u202e\nz'>x</a>", "x <https://a.b/x%3E%20yz>"},
		"link around blocks": {`<a href="https://a.b/"><p>x</p><p>y</p></a><p>z`, "x\n\ny <https://a.b/>\n\nz"},
		"link never closed":  {`<a href="https://a.b/">x<p>y`, "x\n\ny <https://a.b/>"},
		"link after link":    {`<a href="https://a.b/">x<a href="https://c.d/">y</a>`, "x <https://a.b/>y <https://c.d/>"},
		"empty link":         {`x<a href="https://a.b/"></a>`, "x"},
		"anchor":             {`<a name=x>y</a>`, "y"},
		"picture":            {`<img alt=" a  b "> <img src=x> <img alt=dot width=1 height=1>`, "a b"},
		"linked picture":     {`<a href="https://a.b/"><img alt=Shop></a> <a href="https://c.d/"><img></a>`, "Shop <https://a.b/> https://c.d/"},

		"table":           {"<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a | b\n1 | 2"},
		"table, no rows":  {"<table><td>a<td>b</table>", "a | b"},
		"label":           {"<table><tr><td>a:<td>b</table>", "a: b"},
		"empty cells":     {"<table><tr><td>a<td> <td>&nbsp;<td>b</table>", "a | b"},
		"cells of blocks": {"<table><tr><td><p>a<p>b<td>c</table>", "a\n\nb\n\nc"},
		"cells of words":  {"<table><tr><td><p>a</p></td><td><div>b</div></td></table>", "a | b"},
		"long cells":      {"<table><tr><td>" + strings.Repeat("x", 81) + "<td>b</table>", strings.Repeat("x", 81) + "\nb"},
		"tables in a row": {"<table><tr><td><table><tr><td>a</table><td><table><tr><td>b<td>c</table></table>", "a | b | c"},
		"tables of rows":  {"<table><tr><td>a<td><table><tr><td>b<tr><td>c</table></table>", "a\n\nb\nc"},
		"tables side by side": {
			"<table><tr><td><table><tr><td>a<td>b<tr><td>c<td>d</table><td>e</table>", "a | b\nc | d\n\ne",
		},
		"cells of items":    {"<table><tr><td><ul><li>a</ul><td><ul><li>b<li>c</ul></table>", "- a\n\n- b\n- c"},
		"link in a cell":    {"<table><tr><td><a href=https://a.b/" + strings.Repeat("x", 90) + ">x</a><td>b</table>", "x <https://a.b/" + strings.Repeat("x", 90) + "> | b"},
		"cells alone":       {"<td>a<td>b", "a\nb"},
		"ends in a cell":    {"<div><table><tr><td>a</div></p>b</table>", "a\n\nb"},
		"what the row says": {"<table><caption>c</caption><tbody><tr><td>a</tbody><tfoot><tr><td>z</table>", "c\na\nz"},

		"left out":            {"<title>a</title><style>b</style><script>c</script><template>d</template>e<!-- f --><iframe>g</iframe>", "e"},
		"no scripts":          {"<noscript><p>a</noscript>", "a"},
		"Outlook":             {"<!--[if mso]>a<![endif]--><!--[if !mso]><!-->b<!--<![endif]--><![if !mso]>c<![endif]>", "bc"},
		"not displayed":       {`<div style="DISPLAY : NONE !important">a<p>b</div>c`, "c"},
		"hidden":              {"<p hidden>a<p>b", "b"},
		"not visible":         {`<span style="visibility:hidden">a</span>b`, "b"},
		"no height":           {`<div style="max-height:0px;overflow:hidden">a</div>b`, "b"},
		"no opacity":          {`<div style="opacity:0.0">a</div><div style="opacity:0.5">b</div>`, "b"},
		"no size":             {`<div style="font-size:0">a<b style="font-size:2em">b</b><i style="font-size:12px">c</i><img alt=d></div>`, "cd"},
		"font":                {`<div style="font:0/0 a">a<b style="font:bold 12px/1 x">b</b></div>`, "b"},
		"font with a size":    {`<div style="font-size:0px">a<font size=2>b</font></div>`, "b"},
		"hidden beyond cells": {`<div style="display:none"><table><tr><td>a</div>b</table></div>c`, "c"},
		"hidden pictures":     {`<img alt=a hidden><img alt=b style="display:none">c`, "c"},
		"all of it is hidden": {`<title>t</title><div style="display:none">a</div>`, "a"},
		"all has no size":     {`<div style="font-size:0">a</div>`, "a"},
		"body is not hidden":  {`<body style="display:none">a</body>b`, "ab"},
		"tag names in capitals": {
			"<P>a<BR>b</P><UL><LI>c</UL>", "a\nb\n\n- c",
		},
		"attribute without an end": {`a<p title="b`, "a"},
	} {
		got, err := plaintext.FromHTML(t.Context(), test.html)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

// TestPieces: a long text is read in pieces, and nothing is lost where they meet.
func TestPieces(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"&CounterClockwiseContourIntegral;", "ü", "😀", "&amp;", "x&uuml;y😀"} {
		for shift := range 5 {
			source := strings.Repeat("x", shift) + strings.Repeat(part, 300_000/len(part))
			got, err := plaintext.FromHTML(t.Context(), source)
			want := strings.Repeat("x", shift) + strings.Repeat(strings.NewReplacer(
				"&CounterClockwiseContourIntegral;", "∳", "&amp;", "&", "&uuml;", "ü").Replace(part), 300_000/len(part))
			if err != nil || got != want {
				t.Errorf("%s after %d: %d bytes, %v, want %d", part, shift, len(got), err, len(want))
			}
		}
	}
}

// TestDepth: what stands deeper than is followed is there all the same, and ends mean what
// they should once it has ended.
func TestDepth(t *testing.T) {
	t.Parallel()
	const deep = 5000
	for name, test := range map[string]struct{ open, inside, end, want string }{
		"div":        {"<div>", "x", "</div>", "x\ny"},
		"blockquote": {"<blockquote>", "x", "</blockquote>", strings.Repeat("> ", 8) + "x\n\ny"},
		"table":      {"<table><tr><td>", "x", "</table>", "x\n\ny"},
		"list":       {"<ul><li>", "x", "</ul>", strings.Repeat(" ", 14) + "- x\n\ny"},
		"hidden":     {"<p hidden><b>", "x", "</b></p>", "y"},
	} {
		got, err := plaintext.FromHTML(t.Context(), strings.Repeat(test.open, deep)+test.inside+strings.Repeat(test.end, deep)+"y")
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

func FuzzFromHTML(f *testing.F) {
	for _, shape := range hostile() {
		f.Add(shape.Make(200))
	}
	f.Fuzz(func(t *testing.T, source string) {
		text, err := plaintext.FromHTML(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := plaintext.FromHTML(t.Context(), source); again != text {
			t.Errorf("%q, then %q", text, again)
		}
		if !utf8.ValidString(text) {
			t.Errorf("not UTF-8: %q", text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
			t.Errorf("control character at %d: %q", i, text)
		}
		if strings.Contains(text, "\n\n\n") || strings.HasPrefix(text, "\n") || strings.HasSuffix(text, "\n") {
			t.Errorf("empty lines: %q", text)
		}
		for line := range strings.SplitSeq(text, "\n") {
			if strings.TrimRight(line, " \t") != line {
				t.Errorf("blanks at the end of %q", line)
			}
		}
	})
}

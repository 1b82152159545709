package growthtest

import (
	"strconv"
	"strings"
)

// A Shape is a text that somebody has thought of to keep a program busy.
type Shape struct {
	Name string
	Make func(size int) string // a text of about this many bytes
}

// Shapes are texts: lines, characters that must be escaped, white space.
func Shapes() []Shape {
	return []Shape{
		{"one line", repeat("x")},
		{"words in one line", repeat("a word ")},
		{"equals signs", repeat("=")},
		{"umlauts", repeat("ü")},
		{"four octets", repeat("😀")},
		{"CRLF", repeat("\r\n")},
		{"CR", repeat("\r")},
		{"LF", repeat("\n")},
		{"spaces", repeat(" ")},
		{"tabs", repeat("\t")},
		{"space at line ends", repeat("x \n")},
		{"dots", repeat(".")},
		{"dot lines", repeat(".\r\n")},
		{"From lines", repeat("From x\n")},
		{"control characters", repeat("\x01\x7f")},
		{"ampersands", repeat("&")},
		{"less-than signs", repeat("<")},
		{"quotes", repeat(`"`)},
		{"backslashes", repeat(`\`)},
		{"commas", repeat(",")},
		{"at signs", repeat("@")},
		{"addresses", repeat("a@b.c ")},
		{"addresses in a chain", repeat("a@b")},
		{"half an address", repeat("a.")},
		{"colons", repeat("a:")},
		{"encoded words", repeat("=?utf-8?q?a?=")},
		{"braces", repeat("{")},
		{"brackets", repeat("[")},
		{"URLs", repeat("https://a.b/c?d=e ")},
		{"passwords", repeat("password=")},
	}
}

// Tags are HTML: nested, misnested, never closed, with many attributes.
func Tags() []Shape {
	return []Shape{
		{"div in div", repeat("<div>")},
		{"div and its end", func(n int) string { return strings.Repeat("<div>", n/11) + strings.Repeat("</div>", n/11) }},
		{"paragraphs", repeat("<p>x")},
		{"b and i across", repeat("<b><i>x</b></i>")},
		{"b in p, open", repeat("<p><b>x")},
		{"links, open", repeat("<a href=x><p>")},
		{"nobr", repeat("<nobr>x<p>")},
		{"never closed", func(n int) string { return "<p>" + numbered("<b a%>")(min(n, 4000)) + repeat("<p>x")(n) }},
		{"never closed, long", func(n int) string {
			return `<p><b title="` + strings.Repeat("x", n/4) + `">` + repeat("<p>x")(n)
		}},
		{"tables", repeat("<table>")},
		{"tables in cells", repeat("<table><tr><td>")},
		{"text before its table", repeat("<table>x<tr>")},
		{"b before its table", repeat("<table><b>x")},
		{"cells", repeat("<td>x")},
		{"lists", repeat("<ul><li>")},
		{"items", repeat("<li>x")},
		{"headings", repeat("<h1>x")},
		{"body again", repeat("<body a=1>")},
		{"bodies of attributes", numbered("<body a%=1>")},
		{"html of attributes", numbered("<html a%=1>")},
		{"attributes", func(n int) string { return "<p " + numbered("a%=1 ")(n) + ">" }},
		{"attributes of b", func(n int) string { return strings.Repeat("<b "+numbered("a%=1 ")(n/4)+">", 4) }},
		{"one attribute", func(n int) string { return `<p title="` + strings.Repeat("x", n) + `">` }},
		{"no end of a tag", func(n int) string { return "<svg>" + repeat("<b")(n) }},
		{"ends", repeat("</p>")},
		{"ends of nothing", repeat("x</a>")},
		{"svg", repeat("<svg>")},
		{"svg and b", repeat("<svg><b>x")},
		{"math", repeat("<math><mtext>")},
		{"select", repeat("<select><option>x")},
		{"template", repeat("<template>x")},
		{"form", repeat("<form><button>x")},
		{"frameset", repeat("<frameset>")},
		{"comments", repeat("<!--x-->")},
		{"open comments", repeat("<!--")},
		{"conditions", repeat("<![if x]>")},
		{"entities", repeat("&notit;")},
		{"scripts", repeat("<script><!--")},
		{"style sheets", repeat("<style>body{color:red}</style>")},
		{"selectors", func(n int) string { return "<style>" + repeat("body ")(n) + "{}</style>" }},
		{"rules", func(n int) string { return "<style>" + repeat("body{;")(n) + "</style>" }},
		{"comments in a sheet", func(n int) string { return "<style>body" + repeat("/*")(n) + "</style>" }},
		{"quotes in a sheet", func(n int) string { return "<style>body" + repeat(`"'`)(n) + "</style>" }},
	}
}

func repeat(s string) func(int) string {
	return func(n int) string { return strings.Repeat(s, max(1, n/len(s))) }
}

// numbered makes each one another: % is its number.
func numbered(s string) func(int) string {
	before, after, _ := strings.Cut(s, "%")
	return func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			b.WriteString(before)
			b.WriteString(strconv.Itoa(i))
			b.WriteString(after)
		}
		return b.String()
	}
}

// Keys are those of a JSON object, each another one: "k0":0,"k1":1 …
func Keys(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		n := strconv.Itoa(i)
		b.WriteString(`"k` + n + `":` + n + `,`)
	}
	return strings.TrimSuffix(b.String(), ",")
}

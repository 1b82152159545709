package branding_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/rohrpost/rohrpost/internal/branding"
)

// unclosed are n elements that a parser opens again in everything that follows.
func unclosed(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<b a%d>", i)
	}
	return b.String()
}

// TestOrdinaryIsNotDense: what people and their programs write wears the look.
func TestOrdinaryIsNotDense(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"newsletter":   newsletter,
		"table":        "<table>" + strings.Repeat("<tr><td>1</td><td><b>2</b></td></tr>\n", 20_000) + "</table>",
		"log":          strings.Repeat("2026-11-30 12:00:00 worker started<br>\n", 20_000),
		"old fonts":    strings.Repeat(`<p><font face="Arial" size="2"><b>Guten Tag</b>, wie geht es Ihnen heute?</font></p>`, 5_000),
		"font outside": "<font face=Arial><font color=black>" + strings.Repeat("<p>Guten <b>Tag</b>, wie geht es Ihnen heute?<p>", 5_000) + "</font></font>",
		"font in cell": "<table>" + strings.Repeat(`<tr><td><font face="Arial">Guten Tag, die Damen</td><td><b>1</td></tr>`, 5_000) + "</table>",
		"links":        strings.Repeat(`<a href="https://acme.example/"><table><tr><td>Jetzt kaufen</td></tr></table></a>`, 3_000),
		"icons":        strings.Repeat(`<p><a href="#">Jetzt ansehen</a> <svg width="10" height="10"><circle r="1"/></svg>`, 50),
		"short":        "<p>a<p>b<p><b>c",
	} {
		if branding.TooDense(source) {
			t.Errorf("%s: %d bytes are too dense", name, len(source))
		}
	}
}

// size is what a tree takes in memory, without the texts.
func size(root *html.Node) int {
	total := 0
	for n := range root.Descendants() {
		total += 144 + 48*len(n.Attr)
	}
	return total
}

// TestTreeIsBounded: whatever is put together of the tags that parsers treat in
// their own way, a tree larger than it may be is known before it is made.
func TestTreeIsBounded(t *testing.T) {
	t.Parallel()
	tags := strings.Fields("a b i font nobr u em p div span table tbody tr td th caption col h1 li ul br button form body html head object select option svg desc math template pre center dd style title noscript textarea")
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		some := make([]string, 2+r.IntN(5)) // few, so that they meet again and again
		for i := range some {
			some[i] = tags[r.IntN(len(tags))]
			if r.IntN(2) == 0 {
				some[i] = tags[r.IntN(len("abifp"))]
			}
		}
		var phrase, b strings.Builder
		for range 1 + r.IntN(8) {
			switch name := some[r.IntN(len(some))]; r.IntN(5) {
			case 0, 1:
				fmt.Fprintf(&phrase, "<%s>", name)
			case 2:
				fmt.Fprintf(&phrase, "<%s %%d>", name) // no two alike
			case 3:
				fmt.Fprintf(&phrase, "</%s>", name)
			default:
				phrase.WriteString("x")
			}
		}
		for i := 0; b.Len() < 10_000; i++ {
			b.WriteString(strings.ReplaceAll(phrase.String(), "%d", fmt.Sprintf("a%d", i%400)))
			if b.Len() == 0 {
				break
			}
		}
		source := b.String()
		if branding.TooDense(source) {
			continue
		}
		root, err := html.ParseWithOptions(strings.NewReader(source), html.ParseOptionEnableScripting(false))
		if err != nil {
			continue
		}
		if got, limit := size(root), branding.TreeBase+branding.TreePerByte*len(source); got > limit {
			t.Errorf("round %d: %d bytes become a tree of %d, at most %d were promised: %.300s", round, len(source), got, limit, source)
		}
	}
}

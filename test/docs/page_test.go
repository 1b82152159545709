package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

// A page is a Markdown file.
type page struct {
	path   string // from root
	blocks []passage
	spans  []passage // inline code
	links  []passage
	slugs  map[string]bool // the anchors that its headings make
}

// A passage is a part of a page.
type passage struct {
	line     int
	language string // of a fenced block
	text     string
}

var (
	fence       = regexp.MustCompile("^( *)```(\\S*)$")
	heading     = regexp.MustCompile(`(?m)^#+ (.+)$`)
	inlineCode  = regexp.MustCompile("`((?:[^`\n]|\n[^`\n])+)`")
	linkTarget  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// pages are all that the repository has for people, but for the changelog: it speaks
// of versions that have gone.
func pages(t *testing.T) []*page {
	t.Helper()
	paths := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*page
	for _, path := range paths {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parse(path, string(text)))
	}
	return all
}

// parse takes a page apart. Fenced blocks may be indented, as in lists.
func parse(path, text string) *page {
	p := &page{path: path, slugs: map[string]bool{}}
	lines := strings.Split(text, "\n")
	indent := ""
	var open *passage
	for i, line := range lines {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == nil && m == nil:
			continue
		case open == nil:
			p.blocks = append(p.blocks, passage{line: i + 1, language: m[2]})
			open, indent = &p.blocks[len(p.blocks)-1], m[1]
		case m != nil && m[2] == "":
			open = nil
		default:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
		lines[i] = "" // the rest is prose
	}
	prose := strings.Join(lines, "\n")
	p.spans = find(inlineCode, prose)
	p.links = find(linkTarget, prose)
	for _, m := range heading.FindAllStringSubmatch(prose, -1) {
		p.slugs[slug(m[1])] = true
	}
	return p
}

func find(expr *regexp.Regexp, prose string) []passage {
	var found []passage
	for _, at := range expr.FindAllStringSubmatchIndex(prose, -1) {
		text := strings.Join(strings.Fields(prose[at[2]:at[3]]), " ")
		found = append(found, passage{line: 1 + strings.Count(prose[:at[0]], "\n"), text: strings.ReplaceAll(text, `\|`, "|")})
	}
	return found
}

// slug is the anchor that GitHub makes of a heading.
func slug(title string) string {
	return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}

// TestLinks follows the links within the repository.
func TestLinks(t *testing.T) {
	t.Parallel()
	all := pages(t)
	followed := 0
	for _, p := range all {
		for _, l := range p.links {
			if strings.Contains(l.text, "://") {
				continue
			}
			followed++
			path, anchor, _ := strings.Cut(l.text, "#")
			target := p.path
			if path != "" {
				target = filepath.Join(filepath.Dir(p.path), path)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s:%d: %s: there is no such file", p.path, l.line, l.text)
				continue
			}
			at := slices.IndexFunc(all, func(q *page) bool { return q.path == target })
			if anchor != "" && (at < 0 || !all[at].slugs[anchor]) {
				t.Errorf("%s:%d: %s: there is no such heading", p.path, l.line, l.text)
			}
		}
	}
	t.Logf("%d links", followed)
}

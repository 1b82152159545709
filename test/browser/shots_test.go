package browser

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shots is for `make shots`.
var shots = flag.String("shots", "", "the folder to put pictures of all pages into")

// maxShot bounds a picture: a repository keeps each one forever.
const maxShot = 150 << 10

// TestShots takes a picture of every page, German and light. With -shots they stay.
func TestShots(t *testing.T) {
	folder := *shots
	if folder == "" {
		folder = t.TempDir()
	}
	listed, err := os.ReadFile(filepath.Join(root, "docs", "pages", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := newWorld(t, "")
	for _, v := range views() {
		if v.name == "" {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			b := s.open(t, v.who)
			b.visit(s.pathOf(v))
			if v.foreign {
				b.sees("Queues", "default")
			}
			take(t, b, folder, v.name, listed)
			if v.phone {
				b.look(390, true)
				take(t, b, folder, v.name+"-phone", listed)
			}
		})
	}
}

// take writes the picture of a page.
func take(t *testing.T, b *tab, folder, name string, listed []byte) {
	t.Helper()
	picture, err := shrink(b.picture())
	if err != nil {
		t.Fatal(err)
	}
	if len(picture) > maxShot {
		t.Errorf("%s has %d bytes", name, len(picture))
	}
	name += ".png"
	if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(listed, []byte("("+name+")")) {
		t.Errorf("docs/pages/README.md does not show %s", name)
	}
	if _, err := os.Stat(filepath.Join(root, "docs", "pages", name)); err != nil {
		t.Errorf("%s is not in docs/pages: make shots", name)
	}
}

// TestShotsAreListed: docs/pages shows no picture of a page that is gone.
func TestShotsAreListed(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "docs", "pages", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, v := range views() {
		names[v.name], names[v.name+"-phone"] = true, v.phone
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".png"); !names[name] {
			t.Errorf("%s shows no page: remove it", file)
		}
	}
}

package browser

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

// shots is for `make shots`.
var shots = flag.String("shots", "", "the folder to put pictures of all pages into")

// maxShot bounds a picture: a repository keeps each one forever.
const maxShot = 150 << 10

// TestShots takes a picture of every page, German and light, for `make shots`.
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("make shots takes pictures")
	}
	s := newWorld(t, "")
	for _, who := range visitors() {
		s.each(t, who, "de", func(t *testing.T, b *tab, v view) {
			if v.name == "" {
				return
			}
			b.look(1280, false)
			b.visit(s.pathOf(v))
			if v.foreign {
				b.sees("Queues", "default")
			}
			take(t, b, *shots, v.name)
			if v.phone {
				b.look(390, true)
				take(t, b, *shots, v.name+"-phone")
			}
		})
	}
}

// take writes the picture of a page.
func take(t *testing.T, b *tab, folder, name string) {
	t.Helper()
	picture, err := shrink(b.picture())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestShotsAreListed: docs/pages has a picture of every page that is to have one, not
// too large, and none of a page that is gone.
func TestShotsAreListed(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(root, "docs", "pages")
	listed, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, v := range views() {
		want[v.name+".png"] = v.name != ""
		want[v.name+"-phone.png"] = v.phone
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := file.Name()
		if filepath.Ext(name) != ".png" {
			continue
		}
		if !want[name] {
			t.Errorf("%s shows no page: remove it", name)
		}
		delete(want, name)
		if info, err := file.Info(); err != nil || info.Size() > maxShot {
			t.Errorf("%s has %d bytes, %v", name, info.Size(), err)
		}
		if !bytes.Contains(listed, []byte("("+name+")")) {
			t.Errorf("docs/pages/README.md does not show %s", name)
		}
	}
	for name, missing := range want {
		if missing {
			t.Errorf("%s is not in docs/pages: make shots", name)
		}
	}
}

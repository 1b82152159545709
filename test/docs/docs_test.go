package docs

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
)

// TestPages takes the pages from top to bottom, each at a site of its own. What stands
// in a block is run, loaded or compiled; text is what nothing here can check.
func TestPages(t *testing.T) {
	done := map[string]int{}
	for _, p := range pages(t) {
		t.Run(p.path, func(t *testing.T) {
			r := &reader{T: t, page: p, done: done, prepare: scenes[p.path]}
			for _, b := range p.blocks {
				r.read(b)
			}
			if len(r.prepare) > 0 {
				t.Errorf("the page has no more %q: take it out of scenes", r.prepare[0].before)
			}
		})
	}
	for _, kind := range slices.Sorted(maps.Keys(done)) {
		t.Logf("%4d %s", done[kind], kind)
	}
}

// A reader does what a page says.
type reader struct {
	*testing.T
	page    *page
	site    *site // from the first block that needs one
	prepare []scene
	done    map[string]int // how many of each kind, for all pages
}

func (r *reader) fail(b passage, format string, args ...any) {
	r.Helper()
	r.Errorf("%s:%d: %s", r.page.path, b.line, fmt.Sprintf(format, args...))
}

func (r *reader) count(kind string) { r.done[kind]++ }

func (r *reader) read(b passage) {
	r.Helper()
	if r.site == nil {
		r.site = newSite(r.T)
	}
	switch b.language {
	case "sh":
		r.commands(b)
	case "output":
		r.output(b)
	case "yaml":
		r.settings(b)
	case "go":
		r.program(b)
	case "redis":
		r.redisCommands(b)
	case "php":
		r.php(b)
	case "text":
		r.count("text (not checked)")
	default:
		r.fail(b, "a block of language %q: write sh, output, yaml, go, redis, php, or text for what cannot be checked", b.language)
	}
}

var digits = regexp.MustCompile(`\d+`)

// output wants each line of the block to begin like one that the commands above it
// have printed; numbers may differ.
func (r *reader) output(b passage) {
	first := func(line string) string {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		return digits.ReplaceAllString(word, "0")
	}
	printed := map[string]bool{}
	for line := range strings.Lines(r.site.said) {
		printed[first(line)] = true
	}
	for line := range strings.Lines(b.text) {
		if !printed[first(line)] && strings.TrimSpace(line) != "" {
			r.fail(b, "no line begins like %q. What the commands have printed:\n%s", line, r.site.said)
		}
	}
	r.site.said = ""
	r.count("output compared")
}

var fileName = regexp.MustCompile(`^# (\w+\.yaml)\n`)

// settings loads YAML as the program does. A first line such as "# rohrpost.yaml" says
// which file it is; the others are accounts, which are stored.
func (r *reader) settings(b passage) {
	name := "acme.yaml"
	if m := fileName.FindStringSubmatch(b.text); m != nil {
		name = m[1]
	}
	switch name {
	case "rohrpost.yaml":
		r.site.write(name, b.text)
		if _, err := os.Stat(filepath.Join(r.site.folder, "accounts.yaml")); err != nil { // the page is about something else
			r.site.write("accounts.yaml", "platform: {address: noreply@platform.example, smtp: {host: smtp.platform.example}}\n")
		}
		if out, err := r.site.run("rohrpost config check -c rohrpost.yaml"); err != nil {
			r.fail(b, "%v\n%s", err, out)
		}
	case "accounts.yaml":
		r.site.write(name, b.text)
		if _, err := resolver.LoadFile(filepath.Join(r.site.folder, name)); err != nil {
			r.fail(b, "%v", err)
		}
	default:
		_, _ = r.site.run("rohrpost account delete --tenant acme") // else a password that is left out would stay
		r.site.write("block.yaml", b.text)
		if out, err := r.site.run("rohrpost account set --tenant acme --file block.yaml"); err != nil {
			r.fail(b, "%v\n%s", err, out)
		}
	}
	r.count("yaml loaded: " + strings.Replace(name, "acme.yaml", "an account", 1))
}

// program compiles Go as an application of another module would.
func (r *reader) program(b passage) {
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		r.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		r.Fatal(err)
	}
	repository, err := filepath.Abs(root)
	if err != nil {
		r.Fatal(err)
	}
	const path = "github.com/rohrpost/rohrpost"
	r.site.write("go.mod", strings.Replace(string(module), "module "+path, "module application", 1)+
		fmt.Sprintf("\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]s\n", path, repository))
	r.site.write("go.sum", string(sums))
	r.site.write("main.go", b.text)
	cmd := exec.Command("go", "vet", "-mod=mod", ".")
	cmd.Dir = r.site.folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.fail(b, "go vet: %v\n%s", err, out)
	}
	r.count("go vetted")
}

// redisCommands gives each line to the Redis of the site.
func (r *reader) redisCommands(b passage) {
	rdb := r.site.redis.Client(r.T)
	for line := range strings.Lines(b.text) {
		var words []any
		for word := range strings.FieldsSeq(line) {
			words = append(words, word)
		}
		if err := rdb.Do(r.Context(), words...).Err(); err != nil {
			r.fail(b, "%s: %v", line, err)
		}
		r.count("redis commands run")
	}
}

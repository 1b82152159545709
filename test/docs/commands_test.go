package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// commands does what a block of shell says, line by line.
func (r *reader) commands(b passage) {
	for line := range strings.Lines(strings.ReplaceAll(b.text, "\\\n", " ")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			r.command(b, line)
		}
	}
}

// command runs a line if it can run here; else its names are looked up.
func (r *reader) command(b passage, line string) {
	if len(r.prepare) > 0 && strings.HasPrefix(line, r.prepare[0].before) {
		next := r.prepare[0]
		r.prepare = r.prepare[1:]
		next.do(r.site)
	}
	words := strings.Fields(withoutComment(line))
	for len(words) > 1 && (words[0] == "time" || strings.Contains(words[0], "=")) {
		words = words[1:]
	}
	switch program := words[0]; {
	case program == "make":
		r.makes(b, strings.TrimPrefix(line, "make"))
	case program == "go" && words[1] == "test", strings.HasSuffix(program, ".test"):
		r.tests(b, words)
	case program == "go" && len(words) > 3 && words[1] == "run" && words[2] == "./cmd/rohrpost":
		r.command(b, strings.Join(append([]string{"rohrpost"}, words[3:]...), " "))
	case program == "rohrpost" && words[1] == "account" && words[2] == "connect": // a person signs in with a browser
		r.parses(b, words)
	case program == "rohrpost" && slices.Contains(words, "URL"): // a reader's own Redis
		r.parses(b, words)
	case program == "rohrpost" && words[1] == "dev": // at its own port another one may listen
		r.starts(b, strings.Join(words, " ")+" --smtp-addr 127.0.0.1:0")
	case program == "rohrpost" && (words[1] == "worker" || words[1] == "web" || words[1] == "serve"):
		r.starts(b, strings.Join(words, " "))
	default:
		r.runs(b, line)
	}
}

func withoutComment(line string) string {
	before, _, _ := strings.Cut(line, "  #")
	return before
}

// runs wants a command to succeed, but for one that tries what is wrong.
func (r *reader) runs(b passage, line string) {
	here := strings.NewReplacer("127.0.0.1:8080", r.site.web, "curl -s -u anna", "curl -sS --fail-with-body -u anna:"+password).Replace(line)
	out, err := r.site.run(here)
	r.site.said += out
	if fails := strings.Contains(line, "wrong.yaml") || strings.Contains(line, "account doctor --tenant acme --file"); fails != (err != nil) {
		r.fail(b, "%s: %v\n%s", line, err, out)
	}
	r.count("commands run")
}

// starts wants a process to become ready, and to end when it is told to.
func (r *reader) starts(b passage, line string) {
	if err := r.site.start(line)(); err != nil {
		r.fail(b, "%s: %v", line, err)
	}
	r.count("processes started and stopped")
}

// parses has the program read a command line without doing what it says.
func (r *reader) parses(b passage, words []string) {
	if problem := misread(words); problem != "" {
		r.fail(b, "%s: %s", strings.Join(words, " "), problem)
	}
	r.count("commands parsed")
}

// misread is what the program has against a command line: a command or a flag that it
// does not know. Arguments are not looked at.
func misread(words []string) string {
	out, err := exec.Command(filepath.Join(bin, "rohrpost"), append(words[1:len(words):len(words)], "--help")...).CombinedOutput()
	if err != nil {
		return strings.TrimSpace(string(out))
	}
	_, usage, _ := strings.Cut(string(out), "\nUsage:\n")
	usage, _, _ = strings.Cut(usage, "\n\n")
	if !strings.Contains(usage, "[command]") {
		return ""
	}
	for _, word := range words[1:] {
		if !strings.HasPrefix(word, "-") && !strings.Contains(usage, word) {
			return "there is no command " + word
		}
	}
	return ""
}

// makes wants the target to be there. Nothing is made.
func (r *reader) makes(b passage, arguments string) {
	if out, err := exec.Command("bash", "-c", "make -n -C "+root+arguments).CombinedOutput(); err != nil {
		r.fail(b, "%v\n%s", err, out)
	}
	r.count("make targets found")
}

// tests wants each pattern to match a test or benchmark of the packages named.
func (r *reader) tests(b passage, words []string) {
	var names, folders, patterns []string
	for i, word := range words {
		switch {
		case strings.HasPrefix(word, "./") && strings.HasSuffix(word, ".test"):
			folders = append(folders, "internal/"+strings.TrimSuffix(word[2:], ".test"))
		case strings.HasPrefix(word, "./"):
			folders = append(folders, word)
		case (strings.HasSuffix(word, "-run") || strings.HasSuffix(word, ".run") || strings.HasSuffix(word, "bench")) && strings.HasPrefix(word, "-"):
			patterns = append(patterns, strings.Split(strings.Trim(words[i+1], "'"), "|")...)
		}
	}
	for _, folder := range folders {
		names = append(names, testsIn(r, folder)...)
	}
	for _, pattern := range patterns {
		pattern, _, _ = strings.Cut(pattern, "/") // subtests are named when they run
		if pattern != "^$" && !regexp.MustCompile(pattern).MatchString(strings.Join(names, "\n")) {
			r.fail(b, "no test or benchmark of %v matches %s", folders, pattern)
		}
	}
	r.count("go test patterns found")
}

func testsIn(r *reader, folder string) (names []string) {
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		r.Errorf("%s: no tests: %v", folder, err)
	}
	for _, file := range files {
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			r.Fatal(err)
		}
		for _, d := range source.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Benchmark")) {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

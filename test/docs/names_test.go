package docs

import (
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost/configs"
)

// TestNames looks up what the prose names in inline code: settings, keys of accounts,
// metrics, commands, flags, paths of the web part, exported names of Go, files. Other
// inline code is counted.
func TestNames(t *testing.T) {
	t.Parallel()
	n := newNames(t)
	done := map[string]int{}
	for _, p := range pages(t) {
		for _, span := range p.spans {
			kind, problem := n.look(span.text)
			done[kind]++
			if problem != "" {
				t.Errorf("%s:%d: `%s`: %s", p.path, span.line, span.text, problem)
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(done)) {
		t.Logf("%4d %s", done[kind], kind)
	}
}

// TestWrongNames: what the program does not know is noticed.
func TestWrongNames(t *testing.T) {
	t.Parallel()
	n := newNames(t)
	for _, text := range []string{
		"rohrpost acount list", "rohrpost account lst", "rohrpost status --tenat acme ID", "queue chek", "--tenat",
		"worker.concurency", "worker.concurrency: many", "smtp.hots", "force_sendr", "ROHRPOST_WORKER_CONCURENCY",
		"rohrpost_queue_pausd", "/erors", "producer.ErrQuotta", "producers.ErrQuota", "producer.Options.Recipient", "worker/atempt.go", "internal/quue",
	} {
		if kind, problem := n.look(text); problem == "" {
			t.Errorf("`%s` passes among the %s", text, kind)
		}
	}
}

// names are what the program and its source know.
type names struct {
	settings map[string]bool   // worker.concurrency, worker
	keys     map[string]bool   // of accounts.yaml: smtp.host, host
	flags    map[string]bool   // --tenant
	packages map[string]string // the folder of each package
	files    map[string]bool   // from root, and by name alone
	source   string            // Go, Lua and YAML that is no test
	metrics  string            // the part of it that makes the metrics
	web      string            // the address of a web part, in which olga is an operator
}

func newNames(t *testing.T) *names {
	t.Helper()
	n := &names{settings: map[string]bool{}, keys: map[string]bool{}, flags: map[string]bool{}, packages: map[string]string{}, files: map[string]bool{}}
	addKeys(n.settings, "", decode(t, configs.Template()))
	for f := range reflect.TypeFor[configs.User]().Fields() {
		n.settings["web.users."+f.Tag.Get("yaml")] = true
	}
	example, err := os.ReadFile(filepath.Join(root, "configs/accounts.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	addKeys(n.keys, "", decode(t, string(example)))
	n.addFlags(t)
	n.addFiles(t)
	s := newSite(t)
	s.serve("{name: olga, role: operator, password_bcrypt: %q}")
	n.web = s.web
	return n
}

func decode(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// addKeys knows each key by its path and by every end of it: an account is at a place.
func addKeys(known map[string]bool, prefix string, tree map[string]any) {
	for name, value := range tree {
		path := prefix + name
		known[path] = true
		for rest, more := path, true; more; {
			if _, rest, more = strings.Cut(rest, "."); more || rest != "" {
				known[rest] = true
			}
		}
		if section, ok := value.(map[string]any); ok {
			addKeys(known, path+".", section)
		}
	}
}

var (
	flagName    = regexp.MustCompile(`--[a-z][a-z-]*`)
	subcommand  = regexp.MustCompile(`(?m)^  ([a-z][a-z-]*) `)
	packageLine = regexp.MustCompile(`(?m)^package (\w+)$`)
)

// addFlags walks the help of all commands.
func (n *names) addFlags(t *testing.T, command ...string) {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "rohrpost"), append(command, "--help")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flagName.FindAllString(string(out), -1) {
		n.flags[f] = true
	}
	_, list, _ := strings.Cut(string(out), "\nAvailable Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for _, m := range subcommand.FindAllStringSubmatch(list, -1) {
		n.addFlags(t, append(slices.Clone(command), m[1])...)
	}
}

func (n *names) addFiles(t *testing.T) {
	t.Helper()
	var source, metrics strings.Builder
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == ".git" && !d.IsDir(): // of a worktree
			return nil
		case path == ".git" || path == "bin":
			return fs.SkipDir
		}
		n.files[path], n.files[filepath.Base(path)] = true, true
		ext := filepath.Ext(path)
		if d.IsDir() || !slices.Contains([]string{".go", ".lua", ".yaml"}, ext) || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		source.Write(text)
		if filepath.Dir(path) == "internal/metrics" {
			metrics.Write(text)
		}
		if m := packageLine.FindSubmatch(text); m != nil && ext == ".go" {
			n.packages[string(m[1])] = filepath.Dir(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n.source, n.metrics = source.String(), metrics.String()
}

var (
	metric     = regexp.MustCompile(`^rohrpost_([a-z_]+)(\{.*)?$`)
	variable   = regexp.MustCompile(`^ROHRPOST_[A-Z0-9_]+$`)
	setting    = regexp.MustCompile(`^([a-z0-9]+)\.([a-z0-9_.]+)(: (.+))?$`)
	keyOrWord  = regexp.MustCompile(`^([a-z]+(?:_[a-z]+)+)(: .+)?$`)
	goName     = regexp.MustCompile(`^\*?([a-z]+)\.([A-Z]\w*(?:\.\w+)?)$`)
	sourcePath = regexp.MustCompile(`^[\w./-]+\.(go|lua|md|yaml|yml|mod|log)$|^(cmd|internal|worker|producer|resolver|errorlog|configs|docs|test|bench)/[\w./-]+$`)
	group      = regexp.MustCompile(`^(account|queue|errors|config|web) [a-z]`)
)

// look finds out what inline code names, and what is wrong with it.
func (n *names) look(text string) (kind, problem string) {
	switch {
	case text == "rohrpost" || strings.HasPrefix(text, "rohrpost ") || group.MatchString(text):
		words := strings.Fields(strings.TrimSuffix(text, " …"))
		if words[0] != "rohrpost" {
			words = append([]string{"rohrpost"}, words...)
		}
		return "commands parsed", misread(words)
	case strings.HasPrefix(text, "--"):
		return "flags", unknown(n.flags[flagName.FindString(text)], "no command has this flag")
	case metric.MatchString(text):
		return "metrics", unknown(strings.Contains(n.metrics, `"`+metric.FindStringSubmatch(text)[1]+`"`), "there is no such metric")
	case strings.HasPrefix(text, "/"):
		return "paths of the web part", n.get(text)
	case variable.MatchString(text):
		for key := range n.settings {
			if configs.Variable(key) == text {
				return "variables", ""
			}
		}
		return "variables", unknown(text == "ROHRPOST_CONFIG", "there is no such variable")
	case goName.MatchString(text):
		return "names of Go", n.goDoc(goName.FindStringSubmatch(text))
	case sourcePath.MatchString(text):
		known := n.files[text] || strings.Contains(n.source, `"`+text+`"`) || text == "acme.yaml" // a reader's own
		return "files", unknown(known, "there is no such file")
	case n.isSetting(text):
		return "settings", n.setting(setting.FindStringSubmatch(text))
	case keyOrWord.MatchString(text):
		word := keyOrWord.FindStringSubmatch(text)[1]
		known := n.keys[word] || n.settings[word] || regexp.MustCompile("[\"`,]"+word+"[\"`,]").MatchString(n.source)
		return "keys and words of the program", unknown(known, "neither a setting, nor a key of accounts, nor a word of the program")
	}
	return "not looked up", ""
}

func unknown(known bool, problem string) string {
	if known {
		return ""
	}
	return problem
}

// isSetting tells whether text is a key of rohrpost.yaml or accounts.yaml by its
// section: worker.concurrency, smtp.host.
func (n *names) isSetting(text string) bool {
	m := setting.FindStringSubmatch(text)
	provider := strings.Contains(n.source, "- id: "+text+"\n") // web.de
	return m != nil && (n.settings[m[1]] || n.keys[m[1]]) && !provider
}

// setting loads the configuration with a value that the text gives.
func (n *names) setting(m []string) string {
	key, value := m[1]+"."+m[2], m[4]
	if n.keys[key] {
		return ""
	}
	if !n.settings[key] {
		return "there is no such setting"
	}
	if value == "" {
		return ""
	}
	const public = "age162qque4pkr9hc4u85ns4mg2tlhagru24sj5pqp7v6qg06d0jvs3qnd7xa2" // for payload.seal
	_, err := configs.Load("", nil, configs.Override{Key: "secrets.recipients", Value: public}, configs.Override{Key: key, Value: value})
	if err != nil {
		return err.Error()
	}
	return ""
}

// get wants a page at a path.
func (n *names) get(path string) string {
	req, err := http.NewRequest(http.MethodGet, "http://"+n.web+path, http.NoBody)
	if err != nil {
		return err.Error()
	}
	req.SetBasicAuth("olga", password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	return unknown(resp.StatusCode != http.StatusNotFound, resp.Status) // it may want a token
}

// goDoc asks the documentation of a package for a name.
func (n *names) goDoc(m []string) string {
	folder, ok := n.packages[m[1]]
	if !ok {
		return "there is no such package"
	}
	cmd := exec.Command("go", "doc", "./"+folder, m[2])
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return string(out)
	}
	return ""
}

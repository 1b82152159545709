package words_test

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
)

// A place is a package whose sentences people read.
type place struct {
	dir   string
	files []string // those that write sentences; none: all
	texts []string // of these: those in which every text is one
	// unread are sentences of developers and of the operator's log; those that begin with
	// the name of the package are, too.
	unread []string
}

func places() []place {
	return []place{
		{dir: "."},
		{dir: "internal/headerfield"},
		{
			dir:   "resolver",
			texts: []string{"account.go", "accounts.go", "explain.go", "fallback.go", "order.go", "resolver.go", "sender.go", "warnings.go"},
			unread: []string{
				"accounts of tenant %q: %w", "accounts file: %w",
				"; set up the platform's account, which serves all who have none", // the whole NoAccountError has words
				"Microsoft Graph", "Gmail API", // names
			},
		},
		{
			dir: "resolver/redisstore", texts: []string{"binding.go"},
			unread: []string{
				"audit entry %s is damaged: %w", "the record of %s is damaged: %w", "the record of %s has no version",
				"redis is required", "TTL and MaxEntries must not be negative", "account store: %w",
			},
		},
		{dir: "internal/branding", files: []string{"check.go"}},
		{dir: "internal/strictyaml"},
		{
			dir: "internal/accounts", texts: []string{"explain.go", "reseal.go", "recipient.go"},
			unread: []string{"%d more"}, // in a list of accounts
		},
		{dir: "internal/mails", unread: []string{"state of the account: %w"}}, // in a log
		{dir: "producer/adminlink"},
		{dir: "internal/web/accountpages"},
		{dir: "internal/trial", files: []string{"problem.go"}, texts: []string{"problem.go"}, unread: []string{"wrong key"}},
		{
			dir: "internal/doctor", files: []string{"limiter.go"}, texts: []string{"limiter.go"},
			unread: []string{"no redis client", "limit and window must be positive"},
		},
		{
			dir: "internal/secret/seal",
			unread: []string{
				"secrets.recipients: %q is no age recipient (age1…)", "secrets.identity_file: is no list of age identities (AGE-SECRET-KEY-1…, one a line)",
				"keygen: %w",
			},
		},
		{dir: "internal/oauth", files: []string{"callback.go"}},
		{dir: "internal/ledger", files: []string{"ledger.go"}},
		{dir: "internal/web", files: []string{"accounts.go"}},
		{dir: "internal/mails", unread: []string{"state of the account: %w"}},
		{dir: "internal/web/mailpages"},
		{dir: "internal/web/accountpages"},
		{dir: "producer", texts: []string{"quota.go"}, unread: []string{"enqueue: %w", "%.1f KiB"}},
		{
			dir:    "producer/internal/accept",
			unread: []string{"negative MaxSize", "MessageIDDomain %q is no domain name of ASCII letters with a dot"},
		},
	}
}

// TestEverySentence finds every sentence in the source, and fails for one that has no
// German.
func TestEverySentence(t *testing.T) {
	t.Parallel()
	writers := map[string]int{}
	sources := map[string]*source{}
	for _, p := range places() {
		sources[p.dir] = read(t, p.dir)
		maps.Copy(writers, sources[p.dir].writers())
	}
	german, written := words.Catalog(), map[string]bool{}
	for _, p := range places() {
		found := map[string]bool{}
		for _, s := range sources[p.dir].sentences(writers, p.texts...) {
			found[s.format], written[s.format] = true, true
			if slices.Contains(p.unread, s.format) || strings.HasPrefix(s.format, path.Base(p.dir)+": ") || p.files != nil && !slices.Contains(p.files, filepath.Base(s.file)) {
				continue
			}
			if german[s.format] == "" {
				t.Errorf("%s:%d: no German for %q: internal/words/german*.go has the others", s.file, s.line, s.format)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s: no sentence was found", p.dir)
		}
		for _, format := range p.unread {
			if !found[format] {
				t.Errorf("%s: %q is not written there any more", p.dir, format)
			}
		}
	}
	for format := range german {
		if !written[format] && !slices.Contains(composed(), format) {
			t.Errorf("nobody writes %q any more", format)
		}
	}
}

// composed are the formats that stand in no source as they are, as what they write comes
// about in several steps.
func composed() []string {
	return []string{
		// Where only verbs and colons stand in the source: rohrpost.CheckAddress, resolver.Resolve.
		"%q: %w: %w", "%q: %w", "%s; %s.",
		// resolver.NoAccountError.
		"no account can send this mail; %s; set up the platform's account, which serves all who have none",
		"user: %s", "tenant: %s", "platform: %s",
		// resolver.Preset.Note, in a warning about a password.
		preset("microsoft365").Note.English, preset("google").Note.English,
		// redisstore, without the article.
		"secret is sealed, and this process holds no key (see secrets.identity_file)",
		// producer.Client.Retry and Reschedule, with the state of the mail.
		"nobody is left to send it to: %s", "the job has ended: %s",
		// Answers of the API.
		"not allowed for this login", "it could not be done now; the operator finds the reason in the log",
		"the account's stored secret was entered for another server or login: enter it again",
		"the account's secret cannot be read; the operator finds the reason with: rohrpost account show",
	}
}

func preset(id string) resolver.Preset {
	p, _ := resolver.PresetByID(id)
	return p
}

// TestEveryPlace finds the packages that say what is wrong with a field: places must have
// them.
func TestEveryPlace(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, p := range places() {
		known[p.dir] = true
	}
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(name)
		dir, _ := filepath.Rel(root, filepath.Dir(name))
		if dir = filepath.ToSlash(dir); err == nil && strings.Contains(string(text), "FieldError{") && !known[dir] {
			t.Errorf("%s says what is wrong with a field: places does not have %s", name, dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

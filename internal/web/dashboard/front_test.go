package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// TestForeignFront: an asynqmon that nobody has looked at is not served.
func TestForeignFront(t *testing.T) {
	t.Parallel()
	pages, err := ui.New(ui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	words, err := pages.Set(nil, texts)
	if err != nil {
		t.Fatal(err)
	}
	const (
		page = `<!doctype html><link href="https://fonts.example/css"><script>a</script><div id="root"></div><script>b</script>` +
			`<script src="/queues/static/js/main.1.js"></script>`
		script = `function cn(e){` + shortID + `}`
	)
	for name, tt := range map[string]struct {
		page, script string
		known        bool
	}{
		"the known one":          {page, script, true},
		"ids cut in another way": {page, strings.Replace(script, "substr", "slice", 1), false},
		"ids cut twice":          {page, script + script, false},
		"another script":         {page + "<script>c</script>", script, false},
		"something from outside": {page + `<img src="https://elsewhere.example/x">`, script, false},
		"drawn elsewhere":        {strings.Replace(page, "root", "app", 1), script, false},
	} {
		f, err := readFront(func(r *http.Request) *answer {
			a := &answer{header: http.Header{}}
			text := tt.page
			if strings.HasSuffix(r.URL.Path, ".js") {
				text = tt.script
			}
			a.body.WriteString(text)
			return a
		}, words, pages)
		if (err == nil) != tt.known {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if got := string(f.scripts["/queues/static/js/main.1.js"]); got != "function cn(e){return e}" {
			t.Errorf("script %s", got)
		}
		if de := string(f.index["de"]); !strings.Contains(de, "Was die Knöpfe") || !strings.Contains(de, `src="/queues/static/js/main.1.js?v=`) || strings.Contains(de, "fonts") {
			t.Errorf("page %s", de)
		}
	}
}

func TestMaskedKeepsIDs(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"tasks":[{"id":"1|max@acme.example","error_message":"550 <max@acme.example>","size":12345678901234567890}]}`: `{"tasks":[{"error_message":"550 \u003c***@***\u003e","id":"1|max@acme.example","size":12345678901234567890}]}`,
		`no mail for max@acme.example`:                `no mail for ***@***`,
		`["a@b.example",{"x":["\u003cc@d.example"]}]`: `["***@***",{"x":["\u003c***@***"]}]`,
		``: ``,
	} {
		if got := string(masked([]byte(body))); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
}

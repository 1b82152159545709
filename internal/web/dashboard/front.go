package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// front is asynqmon's page as it is served here: without what comes from elsewhere,
// with words about what its buttons do, and with ids shown whole.
type front struct {
	index   map[string][]byte // by language of the words
	scripts map[string][]byte // those that were changed, by path
	policy  string            // Content-Security-Policy
}

var (
	// outsideLink finds the links to fonts elsewhere, and to the manifest, which
	// browsers fetch without the login.
	outsideLink  = regexp.MustCompile(`<link[^>]*(?:href="https?://|rel="manifest")[^>]*>`)
	inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	scriptSource = regexp.MustCompile(`<script src="([^"?]+)"></script>`)
)

const (
	// shortID is how asynqmon cuts an id at its first hyphen, and wholeID what stands
	// there instead: two invoices of a day would look the same.
	shortID = `var t=e.indexOf("-");return-1===t?e:e.substr(0,t)`
	wholeID = `return e`
	// pageRoot is where its scripts put what they draw.
	pageRoot = `<div id="root"></div>`
)

// errForeignFront keeps the program from starting with an asynqmon that nobody has
// looked at: it may hide ids, or fetch something from elsewhere.
var errForeignFront = errors.New("web: the page of this asynqmon is not the one that is known")

// readFront takes asynqmon's page, changes it, and works out which scripts it may run.
func readFront(ask func(*http.Request) *answer, words *ui.Set, pages *ui.UI) (*front, error) {
	get := func(path string) []byte {
		return ask(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}).body.Bytes()
	}
	f := &front{index: map[string][]byte{}, scripts: map[string][]byte{}}
	page := outsideLink.ReplaceAll(get(root+"/"), nil)
	for _, source := range scriptSource.FindAllSubmatch(page, -1) {
		path := string(source[1])
		here := strings.TrimPrefix(path, pages.URL(""))
		script := get(here)
		if bytes.Count(script, []byte(shortID)) != 1 {
			continue
		}
		script = bytes.Replace(script, []byte(shortID), []byte(wholeID), 1)
		sum := sha256.Sum256(script)
		f.scripts[here] = script
		// Browsers keep a script for a year by its address: this is another one.
		page = bytes.Replace(page, []byte(path), []byte(path+"?v="+hex.EncodeToString(sum[:8])), 1)
	}
	inline := inlineScript.FindAllSubmatch(page, -1)
	if len(f.scripts) != 1 || len(inline) != 2 || bytes.Count(page, []byte(pageRoot)) != 1 || bytes.Contains(page, []byte("https://")) {
		return nil, errForeignFront
	}
	f.policy = frontPolicy(inline)
	for _, lang := range pages.Languages() {
		head, err := frontWords(words, pages, lang)
		if err != nil {
			return nil, err
		}
		f.index[lang] = bytes.Replace(page, []byte(pageRoot), []byte(head+pageRoot), 1)
	}
	return f, nil
}

func frontPolicy(inline [][][]byte) string {
	policy := strings.Builder{}
	policy.WriteString("default-src 'none'; script-src 'self'")
	for _, script := range inline {
		sum := sha256.Sum256(script[1])
		policy.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	policy.WriteString("; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return policy.String()
}

// frontWords is what stands above asynqmon's page, and the script that adds what the
// server says to a click.
func frontWords(words *ui.Set, pages *ui.UI, lang string) (string, error) {
	about, err1 := words.Text(lang, "buttons")
	silent, err2 := words.Text(lang, "act_silent")
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	at := func(path string) string { return html.EscapeString(pages.URL(path)) }
	return fmt.Sprintf(`<link rel="stylesheet" href="%s"><aside id="rohrpost" lang=%q><p><a href="%s">rohrpost</a> %s</p>`+
		`<p id="said" role="status" data-silent="%s"></p></aside><script src="%s"></script>`,
		at("/assets/queues.css"), lang, at("/"), html.EscapeString(about), html.EscapeString(silent), at("/assets/queues.js")), nil
}

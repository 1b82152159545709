package browser

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/rohrpost/rohrpost/internal/chromiumtest"
)

// A tab is the window of one person, in a browser session of its own. It starts out
// in German, light and 1280 px wide.
type tab struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // what chromedp knows a tab by
	base string          // in front of paths: "http://127.0.0.1:8080"
	home string          // its host, with the port

	mu      sync.Mutex
	refused bool     // an answer was 403
	console []string // errors and warnings of pages and scripts
	outside []string // hosts other than that of base which pages have asked
	dialogs []string // what scripts have asked: no page does
}

// open is a new window of a person who is signed in.
func (s *site) open(t *testing.T, p person) *tab {
	t.Helper()
	return s.openIn(t, p, "de")
}

// openIn is open for a person who reads another language.
func (s *site) openIn(t *testing.T, p person, lang string) *tab {
	t.Helper()
	b := newTab(t, s.public)
	tell(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
	if p != nobody {
		b.visit(strings.TrimPrefix(s.signed(t, p, lang), b.base))
	}
	return b
}

func newTab(t *testing.T, base string) *tab {
	t.Helper()
	chromiumtest.Need(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, base: base, home: u.Host}
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.notice))
	b.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			b.keepPicture()
		}
		cancel()
	})
	b.begin()
	b.look(1280, false)
	return b
}

// begin opens the window. It lives as long as the context of this first call.
func (b *tab) begin() {
	b.t.Helper()
	if err := chromedp.Do(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	tell(b, network.Enable, network.EnableParams{})
}

// tell sends the browser a command about this tab, and returns what it answers.
func tell[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := try(b, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// try is tell for what may fail, while a page goes and another comes.
func try[P, R any](b *tab, command cdp.Command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Call(ctx, command, params)
}

// evaluate runs a script that a page's own policy does not hold up. A promise is
// waited for.
func evaluate[T any](b *tab, script string) T {
	b.t.Helper()
	result, err := tryEvaluate[T](b, script)
	if err != nil {
		b.t.Fatalf("%.200s: %v", script, err)
	}
	return result
}

func tryEvaluate[T any](b *tab, script string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// look sets how wide the window is, in CSS px, and the color scheme.
func (b *tab) look(width int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
	tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// visit opens a path and returns when the page has loaded, with its status.
func (b *tab) visit(path string) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.Run(ctx, chromedp.NavigateResponse(b.base+path))
	if err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	return response.Status
}

// notice takes what happens in the tab. It must not ask the browser for anything.
func (b *tab) notice(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != "" && u.Host != b.home {
			b.outside = append(b.outside, e.Request.URL)
		}
	case *network.EventResponseReceived:
		b.refused = b.refused || e.Response.Status == http.StatusForbidden
	case *runtime.EventExceptionThrown:
		b.console = append(b.console, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.console = append(b.console, fmt.Sprint(e.Type))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.console = append(b.console, e.Entry.Text+" "+e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		b.dialogs = append(b.dialogs, cmp.Or(e.Message, "empty"))
		go func() { // until it is answered, the page stands still
			_, _ = try(b, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	}
}

// noticed returns what went wrong since it was asked last.
func (b *tab) noticed() (console, outside, dialogs []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	console, outside, dialogs = b.console, b.outside, b.dialogs
	b.console, b.outside, b.dialogs = nil, nil, nil
	return console, outside, dialogs
}

// picture is the whole page as a PNG.
func (b *tab) picture() []byte {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	const png = 100
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(png))
	if err != nil {
		b.t.Errorf("picture: %v", err)
	}
	return picture
}

// keepPicture shows what the page looked like when the test failed.
func (b *tab) keepPicture() {
	file, err := os.CreateTemp("", "browser-*.png")
	if err != nil {
		b.t.Error(err)
		return
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Write(b.picture()); err != nil {
		b.t.Error(err)
	}
	b.t.Logf("the page is in %s", file.Name())
}

package browser

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// words are what stands on the page, as far as it is shown.
func (b *tab) words() string {
	text, err := tryEvaluate[string](b, "document.body.innerText")
	if err != nil {
		return "" // the page goes, another comes
	}
	return strings.Join(strings.Fields(text), " ")
}

// sees waits until the page says all of it.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.wait("the page says "+text, func() bool { return strings.Contains(b.words(), text) })
	}
}

// misses fails if the page says it now.
func (b *tab) misses(text string) {
	b.t.Helper()
	if strings.Contains(b.words(), text) {
		b.t.Errorf("the page says %q:\n%s", text, b.words())
	}
}

// hides fails if there is a field of that label to be seen now.
func (b *tab) hides(label string) {
	b.t.Helper()
	if b.at("").look(label, fields...) != 0 {
		b.t.Errorf("the page shows the field %q", label)
	}
}

// path is where the tab is, with the query.
func (b *tab) path() string {
	path, err := tryEvaluate[string](b, "location.pathname + location.search")
	if err != nil {
		return ""
	}
	return path
}

// sees waits until the part says all of it.
func (p part) sees(texts ...string) {
	p.tab.t.Helper()
	for _, text := range texts {
		p.tab.wait(fmt.Sprintf("%q says %q", p.says, text), func() bool {
			words, err := tryEvaluate[string](p.tab, "("+p.script()+")?.innerText ?? ''")
			return err == nil && strings.Contains(strings.Join(strings.Fields(words), " "), text)
		})
	}
}

// value is what stands in the field of that label.
func (b *tab) value(label string) string {
	b.t.Helper()
	p := b.at("")
	return b.read(p.find(label, fields...), `function() { return this.value; }`)
}

// tip is what a screen reader says of a field after its name: what stands beside it.
func (b *tab) tip(label string) string {
	b.t.Helper()
	p := b.at("")
	return b.read(p.find(label, append(fields, checkbox)...),
		`function() { return (this.getAttribute("aria-describedby") || "").split(" ").map(id => document.getElementById(id)?.textContent).join(" "); }`)
}

// downloads returns the file that is downloaded after do.
func (b *tab) downloads(do func()) string {
	b.t.Helper()
	folder := b.t.TempDir()
	if _, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	}); err != nil {
		b.t.Fatal(err)
	}
	do()
	var found []string
	b.wait("a file is downloaded", func() bool {
		found, _ = filepath.Glob(filepath.Join(folder, "*"))
		return len(found) == 1 && filepath.Ext(found[0]) != ".crdownload"
	})
	return found[0]
}

// frame waits for a frame of the tab's page whose address begins so.
func (b *tab) frame(address string) *tab {
	b.t.Helper()
	var id target.ID
	b.wait("there is a frame with "+address, func() bool {
		all, err := chromedp.CallBrowser(b.ctx, target.GetTargets, target.GetTargetsParams{})
		if err != nil {
			b.t.Fatal(err)
		}
		for _, info := range all.TargetInfos {
			if info.Type == "iframe" && strings.HasPrefix(info.URL, address) {
				id = info.TargetID
			}
		}
		return id != ""
	})
	frame := &tab{t: b.t, base: b.base, home: b.home}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id), chromedp.WithListener(frame.notice))
	b.t.Cleanup(cancel)
	frame.ctx = ctx
	frame.begin()
	return frame
}

package browser

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestKeyboard: an account is entered, tried and saved without a mouse, and everybody
// sees at each step where the keyboard is.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteOptions{})
	host := s.mail["acme"]
	b := s.open(t, person{name: "anna", role: "admin", tenant: "tastatur"})
	if status := b.visit("/t/tastatur/accounts/tenant"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	b.types(kb.Tab)
	if name := b.focused(); name != "Zum Inhalt springen" {
		t.Errorf("the first Tab leads to %q", name)
	}
	b.types(kb.Enter)
	b.tabTo("Anderer Anbieter oder eigener Server")
	b.types(kb.Enter)
	b.sees("Anderen Anbieter wählen")
	b.tabTo("Absenderadresse")
	b.types(host.mailbox())
	b.tabTo("Server")
	b.types(mailHost(host.owner))
	b.tabTo("Port")
	b.types(strconv.Itoa(host.Port()))
	b.tabTo("Verschlüsselung")
	b.types("STARTTLS")
	b.tabTo("Benutzername")
	b.types(host.mailbox())
	b.tabTo("Passwort")
	b.types(host.password())
	b.tabTo("Testmail senden")
	b.types(kb.Enter)
	b.sees("Diese Einstellungen funktionieren.")
	b.tabTo("Speichern")
	b.types(" ")
	b.sees("Gespeichert.")
}

// types presses keys, one after the other.
func (b *tab) types(keys string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(keys)); err != nil {
		b.t.Fatal(err)
	}
}

// tabTo presses Tab until what has that name has the keyboard.
func (b *tab) tabTo(name string) {
	b.t.Helper()
	var passed []string
	for range 150 {
		b.types(kb.Tab)
		now := b.focused()
		if now == name {
			return
		}
		passed = append(passed, now)
	}
	b.t.Fatalf("Tab does not lead to %q, but to %q", name, passed)
}

// focused is the name of what has the keyboard, which must be seen.
func (b *tab) focused() string {
	b.t.Helper()
	if seen := evaluate[bool](b, `document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`); !seen {
		b.t.Errorf("nothing shows that the keyboard is at %s", evaluate[string](b, "document.activeElement.outerHTML.slice(0, 160)"))
	}
	element := tell(b, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.activeElement"}).Result
	nodes := tell(b, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: element.ObjectID}).Nodes
	if len(nodes) == 0 || nodes[0].Name == nil {
		return ""
	}
	return valueOf(nodes[0].Name)
}

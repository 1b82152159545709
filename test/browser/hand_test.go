package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The roles by which things are found, as a screen reader names them.
const (
	button   = "button"
	link     = "link"
	field    = "textbox"
	checkbox = "checkbox"
	radio    = "radio"
	choice   = "combobox"
	summary  = "DisclosureTriangle" // what unfolds something
)

// fields are the roles of what a value stands in.
var fields = []string{field, "searchbox", "spinbutton", choice}

// A part is where on the page somebody looks: the whole of it, or the smallest list
// item, table row, article, section or group that says something.
type part struct {
	tab  *tab
	says string // empty: the whole page
}

// at looks at the part of the page that says text.
func (b *tab) at(text string) part { return part{b, text} }

// script finds the element of the part.
func (p part) script() string {
	if p.says == "" {
		return "document"
	}
	says, _ := json.Marshal(p.says)
	return fmt.Sprintf(`[...document.querySelectorAll("li,tr,article,section,fieldset,dialog,form,.card,.entry,.notice")]
		.filter(e => e.checkVisibility() && e.innerText.includes(%s)).sort((a, b) => a.innerText.length - b.innerText.length)[0]`, says)
}

// find waits for what has one of the roles and exactly that name: what a screen
// reader says of it.
func (p part) find(name string, roles ...string) cdp.BackendNodeID {
	p.tab.t.Helper()
	var found cdp.BackendNodeID
	p.tab.wait(fmt.Sprintf("there is a %s named %q", strings.Join(roles, " or "), name), func() bool {
		found = p.look(name, roles...)
		return found != 0
	})
	return found
}

// look is find for what may not be there: then it is 0.
func (p part) look(name string, roles ...string) cdp.BackendNodeID {
	element, err := try(p.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: p.script()})
	if err != nil || element.Result.ObjectID == "" {
		return 0
	}
	result, err := try(p.tab, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: element.Result.ObjectID, AccessibleName: name})
	if err != nil {
		return 0
	}
	for _, node := range result.Nodes {
		if !node.Ignored && node.Role != nil && slices.Contains(roles, valueOf(node.Role)) {
			return node.BackendDOMNodeID
		}
	}
	return 0
}

func valueOf(v *accessibility.Value) string {
	var s string
	_ = json.Unmarshal(v.Value, &s)
	return s
}

// wait returns when done says so, or ends the test.
func (b *tab) wait(what string, done func() bool) {
	b.t.Helper()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		if done() {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain: %s\n%s\n%s", what, b.path(), b.words())
		}
	}
}

// press clicks in the middle of an element with the mouse.
func (b *tab) press(id cdp.BackendNodeID) {
	b.t.Helper()
	tell(b, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: id})
	quads := tell(b, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: id}).Quads
	if len(quads) == 0 {
		b.t.Fatal("it has no place on the page")
	}
	q := quads[0]
	if err := chromedp.Do(b.ctx, chromedp.MouseClickXY((q[0]+q[4])/2, (q[1]+q[5])/2)); err != nil {
		b.t.Fatal(err)
	}
}

// click presses the button or link of that name, or what unfolds something.
func (p part) click(name string) {
	p.tab.t.Helper()
	p.tab.press(p.find(name, button, link, summary))
}

// follow presses the link that the part has, whatever it says.
func (p part) follow() {
	p.tab.t.Helper()
	p.tab.wait(fmt.Sprintf("%q has a link", p.says), func() bool {
		a, err := try(p.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: "(" + p.script() + ")?.querySelector('a')"})
		if err != nil || a.Result.ObjectID == "" {
			return false
		}
		node, err := try(p.tab, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: a.Result.ObjectID})
		if err == nil {
			p.tab.press(node.Node.BackendNodeID)
		}
		return err == nil
	})
}

// tick presses the checkbox or radio button of that name.
func (p part) tick(name string) {
	p.tab.t.Helper()
	p.tab.press(p.find(name, checkbox, radio))
}

// fill replaces what stands in the field of that label.
func (p part) fill(label, value string) {
	p.tab.t.Helper()
	id := p.find(label, fields...)
	tell(p.tab, dom.Focus, dom.FocusParams{BackendNodeID: id})
	p.tab.read(id, `function() { this.select && this.select(); }`)
	tell(p.tab, input.InsertText, input.InsertTextParams{Text: value})
	p.tab.read(id, `function() { this.dispatchEvent(new Event("change", {bubbles: true})); }`)
}

// choose picks an option by its text.
func (p part) choose(label, option string) {
	p.tab.t.Helper()
	id := p.find(label, choice, "listbox")
	text, _ := json.Marshal(option)
	p.tab.read(id, fmt.Sprintf(`function() {
		const option = [...this.options].find(o => o.text.trim() === %s);
		if (!option) throw new Error([...this.options].map(o => o.text).join(" | "));
		this.value = option.value;
		this.dispatchEvent(new Event("input", {bubbles: true}));
		this.dispatchEvent(new Event("change", {bubbles: true}));
	}`, text))
}

// attach puts a file into the field of that label.
func (p part) attach(label, path string) {
	p.tab.t.Helper()
	name, _ := json.Marshal(label)
	// What a screen reader says of it begins with the label, and goes on in the browser's language.
	field := tell(p.tab, runtime.Evaluate, runtime.EvaluateParams{
		Expression: fmt.Sprintf(`[...document.querySelectorAll("label")].find(l => l.innerText.trim() === %s)?.control`, name),
	}).Result
	if field.ObjectID == "" {
		p.tab.t.Fatalf("no field has the label %q", label)
	}
	tell(p.tab, dom.SetFileInputFiles, dom.SetFileInputFilesParams{ObjectID: field.ObjectID, Files: []string{path}})
}

// set puts a day and time into the field of that label; browsers ask for its parts one
// by one, in the order of the language.
func (p part) set(label string, at time.Time) {
	p.tab.t.Helper()
	id := p.find(label, "DateTime")
	p.tab.read(id, fmt.Sprintf(`function() {
		this.value = %q;
		this.dispatchEvent(new Event("change", {bubbles: true}));
	}`, at.Format("2006-01-02T15:04")))
}

// read calls a function with an element as its this, and returns the text that it
// returns.
func (b *tab) read(id cdp.BackendNodeID, function string) string {
	b.t.Helper()
	object := tell(b, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id}).Object
	result := tell(b, runtime.CallFunctionOn, runtime.CallFunctionOnParams{ObjectID: object.ObjectID, FunctionDeclaration: function})
	if result.ExceptionDetails != nil {
		b.t.Fatalf("%s", result.ExceptionDetails.Exception.Description)
	}
	var text string
	if len(result.Result.Value) > 0 {
		_ = json.Unmarshal(result.Result.Value, &text)
	}
	return text
}

// The hand on the whole page.

func (b *tab) click(name string)           { b.t.Helper(); b.at("").click(name) }
func (b *tab) tick(name string)            { b.t.Helper(); b.at("").tick(name) }
func (b *tab) fill(label, value string)    { b.t.Helper(); b.at("").fill(label, value) }
func (b *tab) choose(label, option string) { b.t.Helper(); b.at("").choose(label, option) }

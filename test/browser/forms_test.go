package browser

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// A form is what a page sends by POST when one of its buttons is pressed, and where.
type form struct {
	Action string // path and query
	Body   string // as the browser would send it, unchanged
}

// forms are those of the tab's page with what is entered there, once for each of their
// buttons. A form without a button is for reading.
func (b *tab) forms() []form {
	b.t.Helper()
	text := evaluate[string](b, `JSON.stringify([...document.forms].filter(f => f.method === "post").flatMap(f =>
		[...f.elements].filter(e => e.type === "submit" && !e.disabled).map(button => {
			const at = new URL(button.hasAttribute("formaction") ? button.formAction : f.action, location.href);
			const data = [...new FormData(f, button)].filter(([, v]) => typeof v === "string");
			return {Action: at.pathname + at.search, Body: new URLSearchParams(data).toString()};
		})))`)
	var forms []form
	if err := json.Unmarshal([]byte(text), &forms); err != nil {
		b.t.Fatal(err)
	}
	return forms
}

// forms are the same of the page at a path, without a window, and its status.
func (c *robot) forms(path string) (status int, forms []form) {
	c.t.Helper()
	status, page := c.do(http.MethodGet, c.site.public+path, "")
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		c.t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Data == "form" && strings.EqualFold(attribute(node, "method"), "post") {
			forms = append(forms, buttonsOf(node, path)...)
		}
	}
	return status, forms
}

// buttonsOf is what each button of a form of the page at path sends.
func buttonsOf(node *html.Node, path string) []form {
	var buttons []*html.Node
	values := url.Values{}
	for n := range node.Descendants() {
		name, kind := attribute(n, "name"), attribute(n, "type")
		switch {
		case n.Type != html.ElementNode || has(n, "disabled"):
		case n.Data == "button" && kind != "button":
			buttons = append(buttons, n)
		case n.Data == "input" && (kind != "checkbox" && kind != "radio" || has(n, "checked")):
			values.Add(name, attribute(n, "value"))
		case n.Data == "textarea":
			values.Add(name, textOf(n))
		case n.Data == "option" && (has(n, "selected") || !values.Has(attribute(n.Parent, "name"))):
			values.Set(attribute(n.Parent, "name"), attribute(n, "value"))
		}
	}
	var forms []form
	for _, button := range buttons {
		action := attribute(node, "action")
		if has(button, "formaction") {
			action = attribute(button, "formaction")
		}
		if action == "" {
			action = path
		}
		body := values.Encode()
		if name := attribute(button, "name"); name != "" {
			body += "&" + url.Values{name: {attribute(button, "value")}}.Encode()
		}
		forms = append(forms, form{Action: action, Body: body})
	}
	return forms
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for child := range n.Descendants() {
		if child.Type == html.TextNode {
			b.WriteString(child.Data)
		}
	}
	return b.String()
}

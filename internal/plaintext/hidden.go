package plaintext

import (
	"strings"

	"golang.org/x/net/html/atom"
)

// attributes are those that matter.
type attributes struct {
	href, alt string
	unseen    bool
}

func (a *attributes) take(key atom.Atom, value []byte) {
	switch key {
	case atom.Href:
		a.href = string(value)
	case atom.Alt:
		a.alt = string(value)
	case atom.Hidden:
		a.unseen = true
	case atom.Style:
		a.unseen = a.unseen || hides(string(value))
	}
}

// hides reports whether a style makes an element invisible, as that of the text that is
// to be seen in the list of mails alone.
func hides(style string) bool {
	const longest = 4000
	style = strings.ToLower(style[:min(len(style), longest)])
	for declaration := range strings.SplitSeq(style, ";") {
		property, value, _ := strings.Cut(declaration, ":")
		value, _, _ = strings.Cut(strings.TrimSpace(value), "!")
		switch strings.TrimSpace(property) + ":" + strings.TrimSpace(value) {
		case "display:none", "visibility:hidden", "mso-hide:all", "font-size:0", "font-size:0px", "max-height:0", "max-height:0px", "opacity:0":
			return true
		}
	}
	return false
}

// hidden counts the elements around that are not shown. Of an element that hides
// itself the end is found by counting those of its name within.
type hidden struct {
	tag   atom.Atom
	depth int
}

func (h *hidden) any() bool { return h.depth > 0 }

// start reports whether the element is hidden.
func (h *hidden) start(tag atom.Atom, a *attributes, closed bool) bool {
	if h.depth > 0 && h.tag == atom.P && tag == atom.P {
		h.depth = 0 // a paragraph ends where another begins
	}
	switch {
	case h.depth > 0:
		if tag == h.tag && !closed && !isVoid(tag) {
			h.depth++
		}
		return true
	case !neverShown(tag) && !a.unseen:
		return false
	case !closed && !isVoid(tag):
		h.tag, h.depth = tag, 1
	}
	return true
}

// end reports whether that was the end of something hidden.
func (h *hidden) end(tag atom.Atom) bool {
	if h.depth == 0 || tag != h.tag {
		return false
	}
	h.depth--
	return true
}

// neverShown are the elements whose content is no text of the page.
func neverShown(tag atom.Atom) bool {
	switch tag {
	case atom.Script, atom.Style, atom.Template, atom.Title, atom.Noembed, atom.Noframes, atom.Iframe, atom.Object, atom.Svg, atom.Math,
		atom.Textarea, atom.Select, atom.Audio, atom.Video, atom.Canvas:
		return true
	}
	return false
}

func isVoid(tag atom.Atom) bool {
	switch tag {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

package plaintext

import "golang.org/x/net/html/atom"

// linesOf is 0 for what stands in a line, 1 for what has lines of its own, 2 for what
// has an empty line around it.
func linesOf(name atom.Atom) int {
	switch name {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Pre, atom.Listing, atom.Xmp,
		atom.Plaintext, atom.Table, atom.Ul, atom.Ol, atom.Dl, atom.Dir, atom.Menu, atom.Hr, atom.Figure, atom.Fieldset:
		return 2
	case atom.Address, atom.Article, atom.Aside, atom.Caption, atom.Center, atom.Dd, atom.Details, atom.Div, atom.Dt,
		atom.Figcaption, atom.Footer, atom.Form, atom.Header, atom.Hgroup, atom.Legend, atom.Li, atom.Main, atom.Nav,
		atom.Optgroup, atom.Option, atom.Section, atom.Summary, atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot, atom.Textarea:
		return 1
	}
	return 0
}

// closesParagraph reports whether the start of an element ends a p (HTML §13.2.6.4.7).
func closesParagraph(name atom.Atom) bool {
	switch name {
	case atom.Tr, atom.Td, atom.Th, atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption, atom.Legend, atom.Optgroup, atom.Option, atom.Textarea:
		return false
	}
	return linesOf(name) > 0
}

// unseen reports whether nothing of an element is shown, with whatever style.
func unseen(name atom.Atom) bool {
	switch name {
	case atom.Script, atom.Style, atom.Title, atom.Template, atom.Iframe, atom.Noframes, atom.Noembed, atom.Datalist, atom.Desc:
		return true
	}
	return false
}

// keepsSpace reports whether white space is kept.
func keepsSpace(name atom.Atom) bool {
	switch name {
	case atom.Pre, atom.Listing, atom.Xmp, atom.Plaintext, atom.Textarea:
		return true
	}
	return false
}

// isList reports whether items stand in it.
func isList(name atom.Atom) bool {
	return name == atom.Ul || name == atom.Ol || name == atom.Dir || name == atom.Menu
}

// bounds reports whether most end tags inside mean nothing outside.
func bounds(name atom.Atom) bool {
	switch name {
	case atom.Table, atom.Td, atom.Th, atom.Caption, atom.Template, atom.Object:
		return true
	}
	return false
}

// ofTable reports whether an end tag closes what is open in a cell.
func ofTable(name atom.Atom) bool {
	switch name {
	case atom.Table, atom.Thead, atom.Tbody, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Caption, atom.Template, atom.Object:
		return true
	}
	return false
}

// empty reports whether an element has no content and no end tag.
func empty(name atom.Atom) bool {
	switch name {
	case atom.Area, atom.Base, atom.Basefont, atom.Bgsound, atom.Br, atom.Col, atom.Embed, atom.Frame, atom.Hr, atom.Image,
		atom.Img, atom.Input, atom.Keygen, atom.Link, atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

// wholePage reports the elements around everything: they neither end nor hide anything.
func wholePage(name atom.Atom) bool {
	return name == atom.Html || name == atom.Head || name == atom.Body
}

package plaintext

import (
	"context"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// tokensPerLook is how many tokens are read between two looks at the context.
const tokensPerLook = 1 << 12

// FromHTML is the text of an HTML body, with LF line ends; empty if nothing of it is
// seen. The error is that of ctx.
func FromHTML(ctx context.Context, source string) (string, error) {
	z := html.NewTokenizer(strings.NewReader(source))
	var r reader
	for n := 1; ; n++ {
		if n%tokensPerLook == 0 && ctx.Err() != nil {
			return "", ctx.Err()
		}
		switch z.Next() {
		case html.ErrorToken: // a string has no other error than its end
			return r.out.finish(), ctx.Err()
		case html.TextToken:
			r.text(string(z.Text()))
		case html.StartTagToken:
			r.start(z, false)
		case html.SelfClosingTagToken:
			r.start(z, true)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(atom.Lookup(name))
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

// A reader is where the text of a body has come to.
type reader struct {
	out    writer
	hidden hidden
	lists  []list
	deeper int // lists within those
	link   link
	pre    int
	cell   bool // a cell of this row was written
}

// A list is an ul or ol that is open.
type list struct {
	ordered bool
	number  int
}

func (r *reader) text(s string) {
	switch {
	case r.hidden.any():
	case r.pre > 0:
		r.out.verbatim(s)
	default:
		r.out.words(s)
	}
}

// start takes a tag with its attributes.
func (r *reader) start(z *html.Tokenizer, closed bool) {
	name, more := z.TagName()
	tag := atom.Lookup(name)
	var a attributes
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		a.take(atom.Lookup(key), value)
	}
	if r.hidden.start(tag, &a, closed) || r.hidden.any() {
		return
	}
	switch tag {
	case atom.Br:
		r.out.newline()
	case atom.Hr:
		r.out.paragraph()
		r.out.words("----------")
		r.out.paragraph()
	case atom.Img:
		r.out.words(a.alt)
	case atom.A:
		r.link.open(a.href, r.out.position())
	case atom.Ul, atom.Ol:
		r.openList(tag == atom.Ol)
	case atom.Li:
		r.item()
	case atom.Pre:
		r.out.paragraph()
		r.pre++
	case atom.Blockquote:
		r.out.paragraph()
		r.out.quote(1)
	case atom.Tr:
		r.out.newline()
		r.cell = false
	case atom.Td, atom.Th:
		if r.cell {
			r.out.need(wide)
		}
		r.cell = true
	default:
		r.out.begin(tag)
	}
}

func (r *reader) end(tag atom.Atom) {
	if r.hidden.end(tag) || r.hidden.any() {
		return
	}
	switch tag {
	case atom.A:
		r.out.words(r.link.close(r.out.since(r.link.from)))
	case atom.Ul, atom.Ol:
		r.closeList()
	case atom.Pre:
		r.pre = max(0, r.pre-1)
		r.out.paragraph()
	case atom.Blockquote:
		r.out.paragraph()
		r.out.quote(-1)
	case atom.Tr:
		r.out.newline()
		r.cell = false
	default:
		r.out.begin(tag)
	}
}

// maxLists is how deep lists are told apart.
const maxLists = 10

func (r *reader) openList(ordered bool) {
	if len(r.lists) == 0 {
		r.out.paragraph()
	} else {
		r.out.newline()
	}
	if len(r.lists) == maxLists {
		r.deeper++
		return
	}
	r.lists = append(r.lists, list{ordered: ordered})
	r.out.indent = len(r.lists) - 1
}

func (r *reader) closeList() {
	switch {
	case len(r.lists) == 0:
		return
	case r.deeper > 0:
		r.deeper--
	default:
		r.lists = r.lists[:len(r.lists)-1]
		r.out.indent = max(0, len(r.lists)-1)
	}
	if len(r.lists) == 0 {
		r.out.paragraph()
	} else {
		r.out.newline()
	}
}

func (r *reader) item() {
	mark := "- "
	if len(r.lists) > 0 {
		l := &r.lists[len(r.lists)-1]
		if l.number++; l.ordered {
			mark = strconv.Itoa(l.number) + ". "
		}
	}
	r.out.item(mark)
}

package plaintext

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	piece         = 64 << 10 // bytes that are read between two looks at the context
	tokensPerLook = 256
)

// FromHTML is what a reader sees of an HTML document or fragment, as lines that end with
// "\n" alone, the last one with nothing. It is valid UTF-8 without control characters
// other than "\n" and "\t", and empty only where nothing can be seen. What would be
// empty because all of it is hidden is shown.
//
// The time grows with the size of the source, 0.1 s a megabyte at worst. The
// error is that of ctx, which is looked at every few milliseconds.
func FromHTML(ctx context.Context, source string) (string, error) {
	for _, all := range [...]bool{false, true} {
		r := &reader{ctx: ctx.Err, all: all}
		r.open = newStack(r.closed)
		r.page.out = make([]byte, 0, len(source)/4)
		if err := r.read(source); err != nil {
			return "", fmt.Errorf("text of the HTML: %w", err)
		}
		text, err := r.page.finish(ctx.Err)
		if err != nil {
			return "", fmt.Errorf("text of the HTML: %w", err)
		}
		if text != "" || !r.omitted {
			return text, nil
		}
	}
	return "", nil
}

// A reader follows the tags.
type reader struct {
	ctx     func() error
	all     bool // what is hidden, too
	omitted bool // something was hidden
	open    *stack
	page    page
	link    link
	skipped int // elements that are open and not shown whatever a style says
	hidden  int // elements that are open and hidden by a style or an attribute
}

// source stops a tokenizer in the middle of a token, which may be as long as the mail.
type source struct {
	rest string
	ctx  func() error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx(); err != nil {
		return 0, err
	}
	if s.rest == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), piece)], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (r *reader) read(text string) error {
	z := html.NewTokenizer(&source{text, r.ctx})
	for tokens := 1; ; tokens++ {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return err
			}
			r.open.popTo(0)
			return nil
		case html.TextToken:
			if err := r.text(z.Raw()); err != nil {
				return err
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			if err := r.start(z); err != nil {
				return err
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(atom.Lookup(name))
		default: // comments, and what stands in them for Outlook
		}
		if tokens%tokensPerLook == 0 {
			if err := r.ctx(); err != nil {
				return err
			}
		}
	}
}

// text is a text token in pieces, cut where no character reference is.
func (r *reader) text(raw []byte) error {
	if r.skipped > 0 {
		return nil
	}
	if !r.visible() || r.open.tiny() && !r.all {
		return nil
	}
	for len(raw) > 0 {
		n := cut(raw)
		text := string(raw[:n])
		if !r.open.literal() {
			text = html.UnescapeString(text)
		}
		r.page.text(text, r.open.pre())
		raw = raw[n:]
		if err := r.ctx(); err != nil {
			return err
		}
	}
	return nil
}

// cut is the length of a piece: it ends before a character reference that it would
// break, and with a whole character.
func cut(raw []byte) int {
	const longest = 40 // octets of a reference: the longest name has 32
	if len(raw) <= piece {
		return len(raw)
	}
	n := piece
	if at := bytes.LastIndexByte(raw[n-longest:n], '&'); at >= 0 {
		return n - longest + at
	}
	for back := 0; back < 3 && raw[n]&0xc0 == 0x80; back++ {
		n--
	}
	return n
}

// visible reports whether something is shown here, be it pictures alone.
func (r *reader) visible() bool { return r.skipped == 0 && (r.all || r.hidden == 0) }

// block begins a line, after an empty one if lines is 2.
func (r *reader) block(lines int) {
	if r.visible() {
		r.page.block(lines)
	}
}

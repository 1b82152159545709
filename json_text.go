package rohrpost

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// wholeText refuses a string that is no text: bytes that are no UTF-8, or half of a
// surrogate pair. encoding/json would put U+FFFD in its place. b is valid JSON.
func wholeText(b []byte) error {
	if utf8.Valid(b) && !mayHaveSurrogate(b) {
		return nil
	}
	var place jsonPlace
	for i := 0; i < len(b); {
		if b[i] != '"' {
			place.see(b[i])
			i++
			continue
		}
		end := i + stringEnd(b[i:])
		text := b[i+1 : end-1]
		isKey := place.string(text, b[end:])
		if !utf8.Valid(text) || halfPair(text) {
			if isKey {
				return fmt.Errorf("a key in %.200q is no UTF-8 text", place.parent())
			}
			return &FieldError{Field: fmt.Sprintf("%.200s", place.path()), Problem: "invalid UTF-8"}
		}
		i = end
	}
	return nil
}

// mayHaveSurrogate reports whether there is an escape from \ud800 to \udfff, or what
// looks like one.
func mayHaveSurrogate(b []byte) bool {
	return bytes.Contains(b, []byte(`\ud`)) || bytes.Contains(b, []byte(`\uD`))
}

// halfPair reports whether the text of a JSON string has an escaped surrogate without
// its other half.
func halfPair(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		r := escaped(text[i:])
		i++
		if !utf16.IsSurrogate(r) {
			continue
		}
		const length = len(`\ud800`)
		rest := text[i-1+length:]
		if utf16.DecodeRune(r, escaped(rest)) == utf8.RuneError {
			return true
		}
		i += 2*length - 2
	}
	return false
}

// escaped is the code unit of an escape \uXXXX at the beginning of text; -1: there is
// none.
func escaped(text []byte) rune {
	if len(text) < len(`\ud800`) || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
}

// A jsonPlace is where a reader of JSON is, in the spelling of a FieldError.
type jsonPlace struct{ open []jsonStep }

type jsonStep struct {
	list  bool
	index int
	key   string
}

// see takes a byte outside of strings.
func (p *jsonPlace) see(c byte) {
	switch c {
	case '{', '[':
		p.open = append(p.open, jsonStep{list: c == '['})
	case '}', ']':
		p.open = p.open[:len(p.open)-1]
	case ',':
		p.open[len(p.open)-1].index++
	}
}

// string takes a string and what follows it, and reports whether it is a key.
func (p *jsonPlace) string(text, after []byte) bool {
	n := len(p.open)
	if n == 0 || p.open[n-1].list || !bytes.HasPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte{':'}) {
		return false
	}
	p.open[n-1].key = string(bytes.ToValidUTF8(text, []byte("?")))
	return true
}

func (p *jsonPlace) path() string {
	var b []byte
	for _, s := range p.open {
		switch {
		case s.list:
			b = fmt.Appendf(b, "[%d]", s.index)
		case len(b) > 0:
			b = append(append(b, '.'), s.key...)
		default:
			b = append(b, s.key...)
		}
	}
	return string(b)
}

// parent is the place of the object in which the reader is.
func (p *jsonPlace) parent() string {
	outer := jsonPlace{open: p.open[:len(p.open)-1]}
	return outer.path()
}

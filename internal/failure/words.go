package failure

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A wordList knows the groups of words by which the rules tell one kind of sentence
// from another.
type wordList struct {
	groups  map[string]int
	phrases map[int32][]phrase // by number of the scanner
}

// A phrase is a whole word or several.
type phrase struct {
	group int
	open  bool // other letters may follow: "suspend*"
}

// learn takes the groups of the file in.
func (w *wordList) learn(s *scanner, groups map[string][]string) error {
	w.groups, w.phrases = map[string]int{}, map[int32][]phrase{}
	var errs []error
	for name, phrases := range groups {
		number := len(w.groups)
		w.groups[name] = number
		for _, p := range phrases {
			literal, open := strings.CutSuffix(p, "*")
			if len(literal) < 2 || literal != normalize([]string{literal}) {
				errs = append(errs, fmt.Errorf("group %s: %q is not a word in lower case", name, p))
				continue
			}
			n := s.add(literal)
			w.phrases[n] = append(w.phrases[n], phrase{number, open})
		}
		if len(phrases) == 0 {
			errs = append(errs, fmt.Errorf("group %s has no words", name))
		}
	}
	return errors.Join(errs...)
}

// find are the numbers of groups.
func (w *wordList) find(names []string) ([]int, error) {
	var numbers []int
	for _, name := range names {
		n, ok := w.groups[name]
		if !ok {
			return nil, fmt.Errorf("unknown group of words %q", name)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// sort notes for each group in which sentences its words are. All beyond the 64th
// count as one.
func (w *wordList) sort(t *text) {
	t.groups = make([]uint64, len(w.groups))
	sentence, at := 0, 0
	for _, h := range t.hits {
		phrases := w.phrases[h.literal]
		if phrases == nil || endsInLetter(t.s[:h.at]) {
			continue
		}
		for ; at < h.at && sentence < 63; at++ {
			if at+1 < len(t.s) && t.s[at+1] == ' ' && strings.IndexByte(".;!?", t.s[at]) >= 0 {
				sentence++
			}
		}
		for _, p := range phrases {
			if p.open || !beginsWithLetter(t.s[h.end:]) {
				t.groups[p.group] |= 1 << sentence
			}
		}
	}
}

// together reports whether one sentence has words of all groups.
func (t *text) together(groups []int) bool {
	all := ^uint64(0)
	for _, g := range groups {
		all &= t.groups[g]
	}
	return all != 0
}

// any reports whether the text has words of one of the groups.
func (t *text) any(groups []int) bool {
	for _, g := range groups {
		if t.groups[g] != 0 {
			return true
		}
	}
	return false
}

// endsInLetter reports whether a word goes on behind the text.
func endsInLetter(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return isLetter(r)
}

// beginsWithLetter reports whether a word goes on in the text.
func beginsWithLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return isLetter(r)
}

func isLetter(r rune) bool {
	return r < utf8.RuneSelf && isWord(byte(r)) || r >= utf8.RuneSelf && r != utf8.RuneError && unicode.IsLetter(r)
}

// isWord tells a letter or digit; beyond ASCII all count as letters.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= 0x80
}

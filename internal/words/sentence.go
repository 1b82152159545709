package words

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

const (
	// maxSentence is how long a text may be that is translated, in bytes; longer ones stay
	// English. The longest sentences have 300 bytes, and the values in them a few hundred.
	maxSentence = 2 << 10
	// maxDepth is how deep sentences stand in sentences.
	maxDepth = 5
)

// Sentence is a sentence in German that was written in English where it arose. The
// values in it stay as they are. Any other language, and a sentence that is not known,
// leaves the text as it is.
//
// A field, a file or an id in front ("smtp.port: is missing") may stand there or not. A
// value that contains the words that stand beside it, or those of another sentence, leaves
// the text English, since nobody could tell where it ends.
func Sentence(lang, english string) string {
	if Language(lang) != German || len(english) > maxSentence {
		return english
	}
	if german, ok := catalog().translate(english, maxDepth); ok {
		return german
	}
	return english
}

// Sentences is Sentence of each; nil stays nil.
func Sentences(lang string, english []string) []string {
	var out []string
	for _, s := range english {
		out = append(out, Sentence(lang, s))
	}
	return out
}

// A dictionary has the German sentences.
type dictionary struct {
	fixed    map[string]string // without values, by the English
	patterns []*pattern        // with values
}

// catalog is compiled at first use. A test compiles it too, so that a broken one never
// leaves the house.
var catalog = sync.OnceValue(func() *dictionary {
	d := &dictionary{fixed: map[string]string{}}
	for _, sentences := range germanSentences() {
		for _, format := range slices.Sorted(maps.Keys(sentences)) {
			p, err := compile(format, sentences[format])
			switch {
			case err != nil:
				panic(err)
			case p.values == 0:
				d.fixed[p.parts[0].literal] = sentences[format]
			default:
				d.patterns = append(d.patterns, p)
			}
		}
	}
	return d
})

// translate is the German of a sentence; not ok: it is not known.
func (d *dictionary) translate(s string, depth int) (german string, ok bool) {
	if german, ok := d.fixed[s]; ok {
		return german, true
	}
	if depth == 0 {
		return "", false
	}
	for _, p := range d.patterns {
		values, fits := p.match(s)
		if !fits {
			continue
		}
		text, fits := d.fill(p.german, values, depth-1)
		if fits && ok && text != german {
			return "", false // a value looks like a sentence around it: nobody knows which one it is
		}
		if fits {
			german, ok = text, true
		}
	}
	if ok {
		return german, true
	}
	// What has no space is no sentence: a field, a file with its line, an id.
	head, rest, found := strings.Cut(s, ": ")
	if !found || head == "" || strings.Contains(head, " ") {
		return "", false
	}
	german, ok = d.translate(rest, depth-1)
	return head + ": " + german, ok
}

// fill puts the values into the German text.
func (d *dictionary) fill(text []piece, values []string, depth int) (german string, ok bool) {
	var b strings.Builder
	for _, p := range text {
		b.WriteString(p.literal)
		if p.value == 0 {
			continue
		}
		value := values[p.value-1]
		if p.form != "" {
			if value, ok = d.formed(p.form, value, depth); !ok {
				return "", false
			}
		}
		b.WriteString(value)
	}
	return b.String(), true
}

// formed is a value that is not written as it stands; not ok: it has no such form.
func (d *dictionary) formed(form, value string, depth int) (german string, ok bool) {
	switch form {
	case formSentence:
		return d.translate(value, depth)
	case formText:
		if german, ok = d.translate(value, depth); ok {
			return german, true
		}
		return value, true
	case formList:
		list := strings.Split(value, "; ")
		for i, s := range list {
			if list[i], ok = d.translate(s, depth); !ok {
				return "", false
			}
		}
		return strings.Join(list, "; "), true
	case formDecimal:
		return strings.Replace(value, ".", ",", 1), true
	}
	p, ok := labels(Kind(form))[value]
	return p.de, ok
}

// germanSentences are the tables of German sentences.
func germanSentences() []map[string]string {
	return []map[string]string{germanMail, germanFields, germanAccounts, germanWhy}
}

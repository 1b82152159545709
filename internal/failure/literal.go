package failure

import (
	"regexp/syntax"
	"unicode/utf8"
)

// What is worked out of a pattern: at most so many strings, and of each so many bytes.
const (
	maxLiterals = 96
	maxLiteral  = 12
)

// literals are strings of which every match of the expression has at least one; nil if
// there are none that say anything.
func literals(re *syntax.Regexp) []string {
	if all := spellings(re); useful(all) {
		return all
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return literals(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return literals(re.Sub[0])
		}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			one := literals(sub)
			if one == nil {
				return nil
			}
			all = append(all, one...)
		}
		return all
	case syntax.OpConcat:
		return literalsOfConcat(re.Sub)
	}
	return nil
}

// literalsOfConcat are those of the part of a sequence that says most: neighbours that
// can be spelled out count as one.
func literalsOfConcat(subs []*syntax.Regexp) []string {
	var best []string
	take := func(some []string) {
		if useful(some) && (best == nil || shortest(some) > shortest(best)) {
			best = some
		}
	}
	run := []string{""}
	for _, sub := range subs {
		if next := product(run, spellings(sub)); next != nil {
			run = next
			continue
		}
		take(run)
		run = []string{""}
		if own := spellings(sub); own != nil {
			run = own
		} else {
			take(literals(sub))
		}
	}
	take(run)
	return best
}

// spellings are all the strings that an expression matches; nil if they are too many.
func spellings(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}
		}
	case syntax.OpCharClass:
		var all []string
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if all = append(all, string(r)); len(all) > 4 {
					return nil
				}
			}
		}
		return all
	case syntax.OpCapture:
		return spellings(re.Sub[0])
	case syntax.OpQuest:
		if one := spellings(re.Sub[0]); one != nil && len(one) < maxLiterals {
			return append([]string{""}, one...)
		}
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			if all = product(all, spellings(sub)); all == nil {
				return nil
			}
		}
		return all
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			one := spellings(sub)
			if one == nil || len(all)+len(one) > maxLiterals {
				return nil
			}
			all = append(all, one...)
		}
		return all
	}
	return nil
}

// product is every string of a before every string of b; nil if they are too many.
func product(a, b []string) []string {
	if b == nil || len(a)*len(b) > maxLiterals {
		return nil
	}
	all := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			all = append(all, x+y)
		}
	}
	return all
}

// useful is false for strings that are in nearly every text.
func useful(some []string) bool { return len(some) > 0 && shortest(some) >= 3 }

func shortest(some []string) int {
	n := len(some[0])
	for _, s := range some {
		n = min(n, len(s))
	}
	return n
}

// width is how many bytes a match has at most; false: there is no bound.
func width(re *syntax.Regexp) (int, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune)), true
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return utf8.UTFMax, true
	case syntax.OpStar, syntax.OpPlus:
		return 0, false
	case syntax.OpRepeat:
		n, ok := width(re.Sub[0])
		return n * re.Max, ok && re.Max >= 0
	}
	most := 0
	for _, sub := range re.Sub {
		n, ok := width(sub)
		if !ok {
			return 0, false
		}
		if re.Op == syntax.OpAlternate {
			most = max(most, n)
		} else {
			most += n
		}
	}
	return most, true
}

package configs

import "strings"

// A List is several texts: a YAML list, or text with commas between.
type List []string

// UnmarshalText reads "a, b"; empty text is an empty list.
func (l *List) UnmarshalText(text []byte) error {
	*l = List{}
	for item := range strings.SplitSeq(string(text), ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l = append(*l, item)
		}
	}
	return nil
}

package words

import "iter"

// Kinds are the enumerations with their labels: English first.
func Kinds() map[Kind]map[string][2]string {
	out := map[Kind]map[string][2]string{}
	for _, table := range []map[Kind]map[string]pair{failureLabels, mailLabels, accountLabels} {
		for kind, list := range table {
			out[kind] = map[string][2]string{}
			for value, p := range list {
				out[kind][value] = [2]string{p.en, p.de}
			}
		}
	}
	return out
}

// Catalog has the German sentences by their formats.
func Catalog() map[string]string {
	out := map[string]string{}
	for _, sentences := range germanSentences() {
		for format, german := range sentences {
			if out[format] != "" {
				panic("words: two tables have " + format)
			}
			out[format] = german
		}
	}
	return out
}

// Fields are the keys that have a label.
func Fields() iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range fields {
			if !yield(key) {
				return
			}
		}
	}
}

// Hints are the hints, English first, by provider (empty: everybody's) and key.
func Hints() map[string]map[string][2]string {
	out := map[string]map[string][2]string{"": {}}
	for key, p := range hints {
		out[""][key] = [2]string{p.en, p.de}
	}
	for provider, list := range providerHints {
		out[provider] = map[string][2]string{}
		for key, p := range list {
			out[provider][key] = [2]string{p.en, p.de}
		}
	}
	return out
}

package accountpages

import (
	"regexp"
	"slices"
	"testing"
)

func TestEveryTextHasBothLanguages(t *testing.T) {
	t.Parallel()
	verb := regexp.MustCompile(`%[a-z]`)
	for key, pair := range texts {
		if pair[0] == "" || pair[1] == "" {
			t.Errorf("%s: %q", key, pair)
		}
		if !slices.Equal(verb.FindAllString(pair[0], -1), verb.FindAllString(pair[1], -1)) {
			t.Errorf("%s: the languages take different values: %q", key, pair)
		}
	}
}

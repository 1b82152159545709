package ui

import "testing"

func TestEveryTextHasBothLanguages(t *testing.T) {
	t.Parallel()
	for key, pair := range shared {
		if pair[0] == "" || pair[1] == "" {
			t.Errorf("%s: %q", key, pair)
		}
	}
}

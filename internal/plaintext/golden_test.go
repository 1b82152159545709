package plaintext_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/plaintext"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden has mails as programs write them. A change of the text is read in the
// difference.
func TestGolden(t *testing.T) {
	t.Parallel()
	mails, err := filepath.Glob("testdata/*.html")
	if err != nil || len(mails) < 5 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	for _, name := range mails {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := plaintext.FromHTML(t.Context(), string(source))
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(name, ".html") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
				t.Error(diff)
			}
		})
	}
}

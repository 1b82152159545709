package demo

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestRun is the promise of the README: every mail ends as announced, the log is
// in the file, and all of it in under thirty seconds.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	begun := time.Now()
	if err := Run(t.Context(), &out, "test"); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	for _, words := range []string{
		`invoice +accepted through user/acme/max`, `accepted +kundin@example\.org`, `failed +refuse@example\.org  550`,
		`code +deferred until`, `code +accepted through tenant/acme`, `offer +failed`, `reminder +scheduled until`,
		`reminder +accepted through platform`, `Den Empfänger gibt es`,
	} {
		if !regexp.MustCompile(words).MatchString(out.String()) {
			t.Errorf("%q is not in:\n%s", words, out.String())
		}
	}
	found := regexp.MustCompile(`full log file: (\S+)`).FindStringSubmatch(out.String())
	if found == nil {
		t.Fatalf("no file in:\n%s", out.String())
	}
	text, err := os.ReadFile(found[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []string{"circular", "code", "offer"} {
		if !strings.Contains(string(text), job) {
			t.Errorf("%s is not in the log file", job)
		}
	}
	if strings.Contains(string(text), "123456") {
		t.Error("a mail's text is in the log file")
	}
}

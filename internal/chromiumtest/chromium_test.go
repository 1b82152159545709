//go:build unix

package chromiumtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script makes a program that stands for Chromium. At every start it writes a line. Its
// tests do not run side by side: a program that another one has just started would still
// have the file open for writing (ETXTBSY).
func script(t *testing.T, text string) (program string, starts func() int) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "chromium")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho >>\"$0.starts\"\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, func() int {
		lines, err := os.ReadFile(program + ".starts")
		if err != nil {
			t.Fatal(err)
		}
		return len(lines)
	}
}

// One that hangs as it starts is started again.
func TestHangs(t *testing.T) {
	program, starts := script(t, `[ $(wc -l <"$0.starts") -gt 1 ] || kill -STOP $$; echo shown`)
	r, err := do(t, program, 2*time.Second, nil)
	if err != nil || r.Stdout != "shown\n" || starts() != 2 {
		t.Errorf("%+v, %v after %d starts", r, err, starts())
	}
}

// One that always hangs is an error, and one that fails is not tried again.
func TestFails(t *testing.T) {
	program, starts := script(t, `kill -STOP $$`)
	if _, err := do(t, program, time.Second, nil); err == nil || !strings.Contains(err.Error(), "did not end") || starts() != tries {
		t.Errorf("hangs: %v after %d starts", err, starts())
	}
	program, starts = script(t, `echo broken >&2; exit 3`)
	if r, err := do(t, program, time.Minute, nil); err == nil || r.Stderr != "broken\n" || starts() != 1 {
		t.Errorf("fails: %+v, %v after %d starts", r, err, starts())
	}
}

// Package chromiumtest runs a headless Chromium for one answer. What needs a browser
// that stays, and clicks, is in test/browser.
package chromiumtest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

const (
	// patience bounds a run. Chromium hangs now and then while it starts on a machine
	// that is busy; it is started again then: what is tested is what it shows.
	patience = time.Minute
	tries    = 3
)

// A Run is what Chromium has printed.
type Run struct{ Stdout, Stderr string }

// Do runs Chromium with these arguments and a profile of its own. Without a Chromium the
// test is skipped, or fails in CI.
func Do(t *testing.T, args ...string) Run {
	t.Helper()
	program := find()
	if program == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing")
		}
		t.Skip("chromium is missing")
	}
	for try := 1; ; try++ {
		r, err := run(t, program, args)
		switch {
		case err == nil:
			return r
		case try == tries:
			t.Fatalf("chromium: %v\n%s", err, r.Stderr)
		}
		t.Logf("chromium: %v; it is started again", err)
	}
}

func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func run(t *testing.T, program string, args []string) (Run, error) {
	t.Helper()
	profile, err := os.MkdirTemp("", "rohrpost-chromium")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(profile) }()
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--user-data-dir=" + profile,
	}, args...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = time.Second // its children may hold the pipes
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return Run{stdout.String(), stderr.String()}, err
}

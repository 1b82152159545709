// Package chromiumtest runs a headless Chromium for one answer. What needs a browser
// that stays, and clicks, is in test/browser.
package chromiumtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	// drain is how long its children may hold the pipes once it has ended.
	drain = 10 * time.Second
)

// A Run is what Chromium has printed.
type Run struct{ Stdout, Stderr string }

// Program is the path of the Chromium of this machine; empty: there is none.
func Program() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Need is Program for a test, which is skipped without one, and fails in CI.
func Need(t *testing.T) string {
	t.Helper()
	program := Program()
	switch {
	case program == "" && os.Getenv("CI") != "":
		t.Fatal("chromium is missing")
	case program == "":
		t.Skip("chromium is missing (make test installs it)")
	}
	return program
}

// Do runs Chromium with these arguments and a profile of its own.
func Do(t *testing.T, args ...string) Run {
	t.Helper()
	r, err := do(t, Need(t), patience, args)
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, r.Stderr)
	}
	return r
}

// do starts it again if it hangs. One that fails has failed.
func do(t *testing.T, program string, patience time.Duration, args []string) (r Run, err error) {
	t.Helper()
	for range tries {
		r, err = run(t, program, patience, args)
		if !errors.Is(err, context.DeadlineExceeded) {
			return r, err
		}
		t.Logf("chromium: %v", err)
	}
	return r, err
}

func run(t *testing.T, program string, patience time.Duration, args []string) (Run, error) {
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
	cmd.WaitDelay = drain
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("it did not end within %v: %w", patience, ctx.Err())
	}
	return Run{stdout.String(), stderr.String()}, err
}

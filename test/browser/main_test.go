// Package browser opens the pages of the built program in Chromium, with a real
// redis-server and scripted mail and OAuth servers behind them, and does there what
// people do: it clicks and types what it finds by the words on the page.
//
//	main_test.go    builds the program, starts one browser for all tests
//	site_test.go    an installation: files, Redis, the running program
//	servers_test.go the mail servers of its accounts
//	world_test.go   an installation full of mails and troubles, to look at
//	tab_test.go     a window of one person
//	hand_test.go    what a person does in it
//	forms_test.go   what a page would send
//	eye_test.go     what a person sees
//	people_test.go  who they are, and the links by which they come in
//	pages_test.go   every page: axe-core, widths, languages, titles, requests
//	shots_test.go   the pictures of docs/pages
//	rows_*_test.go  what people do, a row each, and who may not
//	*_test.go       keyboard, frames and proxies, attacks
//
// It is a module of its own: nothing else of rohrpost needs a browser's protocol.
// ROHRPOST_PROGRAM names a program that was built before, as build does it.
package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/chromiumtest"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// root is where the module of the program is: this one has what only a browser needs.
const root = "../.."

// program is the built command.
var program string

// chromium is the running browser; nil if there is none on this machine.
var chromium context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	folder, err := os.MkdirTemp("", "browser")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if program = os.Getenv("ROHRPOST_PROGRAM"); program != "" {
		_ = os.Unsetenv("ROHRPOST_PROGRAM") // to the program it would be an unknown setting
	} else if err := build(folder); err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	if path := chromiumtest.Program(); path != "" {
		end := startChromium(path, folder)
		defer end()
	}
	return m.Run()
}

// build makes the program. It knows the names of mail servers from a file of these
// tests: they have real names on the pages and stand on this machine.
func build(folder string) error {
	hosts := filepath.Join(folder, "hosts")
	program = filepath.Join(folder, "rohrpost")
	cmd := exec.Command("go", "build", "-o", program, "-ldflags", "-X net.hostsFilePath="+hosts, "github.com/rohrpost/rohrpost/cmd/rohrpost")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.WriteFile(hosts, []byte(hostsFile()), 0o600)
}

// startChromium starts the browser, which reaches this machine alone.
func startChromium(path, folder string) (end func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(filepath.Join(folder, "profile")),
		chromedp.Flag("host-resolver-rules", "MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.localhost"),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("ignore-certificate-errors", true))
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		panic(err)
	}
	chromium = ctx //nolint:fatcontext // it is set once, before the tests
	return func() { cancel(); cancelAllocator() }
}

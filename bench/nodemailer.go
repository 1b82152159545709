package main

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed nodemailer.cjs
var nodemailerSource []byte

// A nodemailer is a script beside the package that it needs.
type nodemailer struct{ file string }

// installNodemailer asks npm for it, in a folder that goes with the environment.
func (e *environment) installNodemailer(ctx context.Context) (nodemailer, error) {
	folder := filepath.Join(e.dir, "nodemailer")
	n := nodemailer{filepath.Join(folder, "send.cjs")}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return n, err
	}
	if err := os.WriteFile(n.file, nodemailerSource, 0o600); err != nil {
		return n, err
	}
	out, err := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "nodemailer").CombinedOutput()
	if err != nil {
		return n, fmt.Errorf("npm install nodemailer: %w: %s", err, out)
	}
	return n, nil
}

// run is Nodemailer as one would use it: a pool. The start of Node does not count.
func (n nodemailer) run(ctx context.Context, c course) (time.Duration, error) {
	host, port, err := net.SplitHostPort(c.server)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "node", n.file, host, port, strconv.Itoa(c.connections), strconv.Itoa(c.mails))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("node: %w", err)
	}
	ms, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return time.Duration(ms * float64(time.Millisecond)), err
}

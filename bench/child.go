package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// childArg makes this program one of its helpers, so that they have a process each.
const childArg = "child"

// child is a helper: "sink CERTIFICATE KEY", "delay ADDRESS DURATION" or "pages REDIS
// ACCOUNTS". It prints where it listens, and ends with its parent.
func child(args []string) error {
	if len(args) != 3 {
		return errors.New("child: sink CERTIFICATE KEY, delay ADDRESS DURATION, or pages REDIS ACCOUNTS")
	}
	if args[0] == "pages" {
		return servePages(args[1], args[2])
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	switch args[0] {
	case "sink":
		go func() { failed <- sink(l, args[1], args[2]) }()
	case "delay":
		go func() { failed <- delay(l, args[1], args[2]) }()
	default:
		return fmt.Errorf("child: there is no %q", args[0])
	}
	fmt.Println(l.Addr())
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin) // until the parent ends
		failed <- err
	}()
	return <-failed
}

// startChild starts a helper, and says where it listens.
func (e *environment) startChild(args ...string) (addr string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(self, append([]string{childArg}, args...)...)
	cmd.Stderr = os.Stderr
	if _, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	e.children = append(e.children, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the %s has not started: %w", args[0], err)
	}
	return strings.TrimSpace(line), nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// childArg makes this program one of its helpers, so that they have a process each.
const childArg = "child"

// child is a helper: "sink" or "worker CONFIGURATION". It prints where it listens and
// ends with its parent.
func child(ctx context.Context, args []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent ends
	}()
	switch {
	case len(args) == 1 && args[0] == "sink":
		return sink(ctx)
	case len(args) == 2 && args[0] == "worker":
		return worker(ctx, args[1])
	}
	return errors.New("child: sink, or worker CONFIGURATION")
}

const sinkUser, sinkPassword = "soak", "soak-password"

// sink takes mail at a port, and has a port for each fault that a server shows.
func sink(ctx context.Context) error {
	var servers []*smtptest.Server
	defer func() {
		for _, s := range servers {
			s.Close()
		}
	}()
	for _, f := range servedFaults() {
		o := smtptest.Options{Username: sinkUser, Password: sinkPassword, Discard: true}
		if f == refusedLogin {
			o.Password = "another"
		}
		server, err := smtptest.Listen(o)
		if err != nil {
			return err
		}
		servers = append(servers, server)
		switch f {
		case greylisted:
			server.On(smtptest.RCPT, smtptest.Reply(450, "4.2.0 greylisted, try again later"))
		case throttled:
			server.On(smtptest.MAIL, smtptest.Reply(451, "4.7.0 temporary rate limit, try again later"))
		}
		fmt.Println(server.Port())
	}
	<-ctx.Done()
	return nil
}

// worker is one, with profiles beside it.
func worker(ctx context.Context, file string) error {
	cfg, err := configs.Load(file, nil)
	if err != nil {
		return err
	}
	a, err := app.New(app.Options{
		Config: cfg, Roles: app.Roles{Worker: true}, Version: "soak", Logger: zerolog.New(os.Stderr).Level(zerolog.ErrorLevel),
	})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, a.Stop())
	}
	profiles := http.NewServeMux()
	profiles.Handle("/heap", pprof.Handler("heap"))
	profiles.Handle("/goroutine", pprof.Handler("goroutine"))
	profiles.HandleFunc("/cpu", pprof.Profile)
	server := &http.Server{Handler: profiles, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }()
	fmt.Println(l.Addr())
	<-ctx.Done()
	return errors.Join(server.Close(), a.Stop())
}

// A helper is a running child.
type helper struct {
	cmd  *exec.Cmd
	end  io.Closer // its stdin
	said *bufio.Reader
}

func start(args ...string) (*helper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &helper{cmd: exec.Command(self, append([]string{childArg}, args...)...)}
	h.cmd.Stderr = os.Stderr
	if h.end, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.said = bufio.NewReader(out)
	return h, h.cmd.Start()
}

// line is the next that the helper prints.
func (h *helper) line(into any) error {
	if _, err := fmt.Fscanln(h.said, into); err != nil {
		return fmt.Errorf("soak %s has not started: %w", h.cmd.Args[len(h.cmd.Args)-1], err)
	}
	return nil
}

// stop lets it end, and waits.
func (h *helper) stop() error { return errors.Join(h.end.Close(), h.cmd.Wait()) }

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redisconn/private"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// A hermit is a site without a Redis: rohrpost serve has one of its own.
type hermit struct {
	*site
	state string // XDG_STATE_HOME
	web   string
}

func newHermit(t *testing.T, server *smtptest.Server) *hermit {
	t.Helper()
	need(t, "redis-server")
	state, err := os.MkdirTemp("", "state") // not t.TempDir: too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(state) })
	h := &hermit{&site{t: t, folder: t.TempDir(), extra: []string{"XDG_STATE_HOME=" + state}}, state, porttest.Addr(t).String()}
	h.write("rohrpost.yaml", fmt.Sprintf("web: {addr: %q}\nretry: {first: 1s}\nlog: {level: warn}\n", h.web))
	h.write("accounts.yaml", fmt.Sprintf("platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: %d, encryption: none}}\n", server.Port()))
	return h
}

// A served is a running "rohrpost serve".
type served struct {
	*exec.Cmd
	ended chan error // what Wait says, once
}

// serve starts one, in a process group of its own as a terminal does, and returns
// when it is ready.
func (h *hermit) serve() *served {
	h.t.Helper()
	p := &served{h.command("serve"), make(chan error, 1)}
	var output bytes.Buffer
	p.Stdout, p.Stderr = &output, &output
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Start(); err != nil {
		h.t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		p.ended <- p.Wait()
	}()
	h.t.Cleanup(func() {
		_ = p.Process.Kill()
		<-gone
		if h.t.Failed() {
			h.t.Logf("serve:\n%s", tail(output.String()))
		}
	})
	waitFor(h.t, "serve is ready", func() bool {
		resp, err := http.Get("http://" + h.web + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return p
}

// find is a client of the private Redis, and its process.
func (h *hermit) find() (redis.UniversalClient, int) {
	h.t.Helper()
	url, runs := private.Find(filepath.Join(h.state, "rohrpost"))
	if !runs {
		h.t.Fatal("no private Redis runs")
	}
	client, err := redisconn.Open(redisconn.Options{URL: url})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = client.Close() })
	pid, err := strconv.Atoi(client.InfoMap(h.t.Context(), "server").Item("Server", "process_id"))
	if err != nil {
		h.t.Fatal(err)
	}
	return client, pid
}

// refused is what a command that fails says, in one line.
func (h *hermit) refused(extra []string, args ...string) string {
	h.t.Helper()
	cmd := h.command(args...)
	cmd.Env = append(cmd.Env, extra...)
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 || strings.Contains(text, "\n") {
		h.t.Errorf("%q: %v, %q", args, err, text)
	}
	return text
}

// TestPrivateRedis kills rohrpost serve with a thousand mails in the queue, then
// its redis-server while they are delivered: each goes out, once.
func TestPrivateRedis(t *testing.T) {
	t.Parallel()
	const mails = 1000
	server := smtptest.Start(t, smtptest.Options{})
	h := newHermit(t, server)
	p := h.serve()
	messages := make([]rohrpost.Message, mails)
	for i := range messages {
		messages[i] = message()
	}
	before, orphan := h.find()
	if err := queue.NewInspector(before).Pause(queue.Name(rohrpost.Default)); err != nil {
		t.Fatal(err)
	}
	receipts := h.sendByCommand(messages)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err == nil {
		t.Fatal("a killed serve ended well")
	}
	if server.Taken() > 0 {
		t.Fatal("they were delivered although their queue is paused")
	}
	h.serve()
	t.Cleanup(func() {
		if t.Failed() {
			out, err := h.command("queue", "check").CombinedOutput()
			t.Logf("queue check: %v\n%s", err, out)
		}
	})
	client, child := h.find()
	if child == orphan {
		t.Error("the redis-server of the killed process goes on")
	}
	// With a sync every second, Redis answers before it has written for as long as a
	// sync takes: a disk that is busy with other tests would lose what it has answered.
	if err := client.ConfigSet(t.Context(), "appendfsync", "always").Err(); err != nil {
		t.Fatal(err)
	}
	if err := queue.NewInspector(client).Resume(queue.Name(rohrpost.Default)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "some are delivered", func() bool { return server.Taken() > mails/10 })
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "it is back", func() bool { return client.Ping(t.Context()).Err() == nil })
	// A task that was fetched as it died comes back within two minutes.
	url, _ := private.Find(filepath.Join(h.state, "rohrpost"))
	waitAccepted(t, 3*time.Minute, openProducer(t, url), receipts)
	checkOnce(t, receipts, server)
	if st := h.final(receipts[0].ID); st.State != rohrpost.Accepted {
		t.Errorf("rohrpost status says %s", st.State)
	}
	if jobs := uncertainJobs(t, client); len(jobs) > 0 {
		t.Logf("%d are uncertain", len(jobs))
	}
}

// TestPrivateRedisStops stops rohrpost serve while mails are past their dots: by
// Ctrl-C, which goes to the whole process group, and by a service manager that
// signals the redis-server as well. The outcomes are written down all the same.
func TestPrivateRedisStops(t *testing.T) {
	for name, stop := range map[string]func(p *served, child int) error{
		"Ctrl-C": func(p *served, _ int) error { return syscall.Kill(-p.Process.Pid, syscall.SIGINT) },
		"service manager": func(p *served, child int) error {
			return errors.Join(p.Process.Signal(syscall.SIGTERM), syscall.Kill(child, syscall.SIGTERM))
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := smtptest.Start(t, smtptest.Options{})
			at, answer := make(chan struct{}, 10), make(chan struct{})
			server.On(smtptest.Dot, smtptest.Answer{}.Doing(func() { at <- struct{}{}; <-answer }))
			h := newHermit(t, server)
			p := h.serve()
			receipts := h.sendByCommand([]rohrpost.Message{message(), message(), message()})
			for range receipts {
				<-at
			}
			_, child := h.find()
			if err := stop(p, child); err != nil {
				t.Fatal(err)
			}
			close(answer)
			if err := <-p.ended; err != nil {
				t.Errorf("serve: %v", err)
			}
			if _, runs := private.Find(filepath.Join(h.state, "rohrpost")); runs {
				t.Error("its redis-server goes on")
			}
			h.serve()
			for _, r := range receipts {
				if st := h.final(r.ID); st.State != rohrpost.Accepted || st.MaybeTwice {
					t.Errorf("%+v", st)
				}
			}
			checkOnce(t, receipts, server)
		})
	}
}

// TestHangup: SIGHUP reads the accounts file again, refuses one that is wrong, and ends
// nothing.
func TestHangup(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	h := newHermit(t, server)
	p := h.serve()
	h.write("accounts.yaml", "platform: {addrezz: typo@platform.example}\n")
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	receipts := h.sendByCommand([]rohrpost.Message{message()})
	if st := h.final(receipts[0].ID); st.State != rohrpost.Accepted {
		t.Errorf("%+v", st)
	}
	checkOnce(t, receipts, server)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// TestPrivateRedisRefusals: each in one line, with what to do.
func TestPrivateRedisRefusals(t *testing.T) {
	h := newHermit(t, smtptest.Start(t, smtptest.Options{}))
	nowhere := "embedded:" + filepath.Join(h.state, "nowhere")
	for name, tt := range map[string]struct {
		extra []string
		args  []string
		want  string
	}{
		"no program":            {[]string{"PATH="}, []string{"serve"}, "apt install redis-server"},
		"no home":               {[]string{"XDG_STATE_HOME=", "HOME="}, []string{"serve"}, "set redis.url"},
		"path too long":         {[]string{"XDG_STATE_HOME=/tmp/" + strings.Repeat("long", 30)}, []string{"serve"}, "too long for a unix socket"},
		"relative path":         {nil, []string{"serve", "--redis", "embedded:data"}, "absolute path"},
		"status, none runs":     {nil, []string{"status", "--redis", nowhere, "x"}, "no rohrpost serve runs"},
		"worker, none runs":     {nil, []string{"worker", "--redis", nowhere}, "no rohrpost serve runs"},
		"a server is named":     {nil, []string{"serve", "--redis", "redis://127.0.0.1:1/0"}, "127.0.0.1:1"},
		"named by its password": {[]string{"ROHRPOST_REDIS_PASSWORD=x", "PATH="}, []string{"serve", "--redis", "unix:///nonexistent"}, "no such file"},
	} {
		if text := h.refused(tt.extra, tt.args...); !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s", name, text)
		}
	}
	p := h.serve()
	text := h.refused([]string{"ROHRPOST_WEB_ADDR=127.0.0.1:0"}, "serve")
	if want := fmt.Sprint("process ", p.Process.Pid, " has "); !strings.Contains(text, want) {
		t.Errorf("a second serve: %s", text)
	}
	dir := filepath.Join(h.state, "rohrpost")
	for _, args := range [][]string{{"errors", "list"}, {"errors", "list", "--redis", "embedded:"}, {"errors", "list", "--redis", "embedded:" + dir}} {
		if out := h.run("", args...); !strings.Contains(out, "no failed attempts") {
			t.Errorf("%q: %s", args, out)
		}
	}
}

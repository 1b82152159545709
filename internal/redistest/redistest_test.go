//go:build unix

package redistest_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestWaysIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		opts   []redistest.Option
		scheme string
	}{
		{"socket", nil, "unix://"},
		{"socket and password", []redistest.Option{redistest.Password("p/w:@ü")}, "unix://"},
		{"port", []redistest.Option{redistest.TCP()}, "redis://127.0.0.1:"},
		{"port and password", []redistest.Option{redistest.TCP(), redistest.Password("p/w:@ü")}, "redis://:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, tt.opts...)
			if !strings.HasPrefix(s.URL(), tt.scheme) {
				t.Errorf("URL %s, want %s…", s.URL(), tt.scheme)
			}
			if got, err := s.Client(t).Ping(t.Context()).Result(); got != "PONG" || err != nil {
				t.Fatalf("PING: %q, %v", got, err)
			}
		})
	}
}

func TestServersAreStrangers(t *testing.T) {
	t.Parallel()
	one, two := redistest.Start(t).Client(t), redistest.Start(t).Client(t)
	if err := one.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n := two.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys in a fresh server", n)
	}
}

func TestArgsOverride(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t, redistest.Args("--maxmemory-policy", "allkeys-lru")).Client(t)
	if got := client.ConfigGet(t.Context(), "maxmemory-policy").Val()["maxmemory-policy"]; got != "allkeys-lru" {
		t.Errorf("maxmemory-policy %q", got)
	}
}

// The address stays, and with AOF the data do.
func TestRestart(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opts []redistest.Option
		end  func(*redistest.Server)
		kept bool
	}{
		{"stop", []redistest.Option{redistest.AOF()}, (*redistest.Server).Stop, true},
		{"kill", []redistest.Option{redistest.AOF(), redistest.TCP()}, (*redistest.Server).Kill, true},
		{"kill without AOF", nil, (*redistest.Server).Kill, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, tt.opts...)
			client := s.Client(t)
			if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
				t.Fatal(err)
			}
			tt.end(s)
			if err := client.Ping(t.Context()).Err(); err == nil {
				t.Fatal("it still answers")
			}
			s.Start()
			err := client.Get(t.Context(), "k").Err()
			if kept := !errors.Is(err, redis.Nil); kept != tt.kept {
				t.Errorf("GET after the restart: %v", err)
			}
		})
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	client := s.Client(t)
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := client.Ping(ctx).Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("PING of a paused server: %v", err)
	}
	s.Resume()
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("PING of a resumed server: %v", err)
	}
}

// A paused server is gone after the test, too, and so is its directory.
func TestEndsWithTheTest(t *testing.T) {
	t.Parallel()
	var pid int
	var socket string
	t.Run("inner", func(t *testing.T) {
		s := redistest.Start(t)
		pid = serverPID(t, s.Client(t))
		socket = strings.TrimPrefix(s.URL(), "unix://")
		s.Pause()
	})
	if pid != 0 && syscall.Kill(pid, 0) == nil {
		t.Errorf("redis-server %d is still there", pid)
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("socket %q: %v", socket, err)
	}
}

// TestEndsWithTheProcess runs this test binary once more and kills it.
func TestEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	const child = "REDISTEST_CHILD"
	if os.Getenv(child) != "" {
		_, _ = os.Stdout.WriteString("pid " + strconv.Itoa(serverPID(t, redistest.Start(t).Client(t))) + "\n")
		<-t.Context().Done() // until it is killed
	}
	if runtime.GOOS != "linux" {
		t.Skip("no parent-death signal on " + runtime.GOOS)
	}
	redistest.Start(t) // skips where redis-server is missing
	cmd := exec.Command(os.Args[0], "-test.run=^TestEndsWithTheProcess$")
	cmd.Env = append(os.Environ(), child+"=1", "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if digits, ok := strings.CutPrefix(lines.Text(), "pid "); ok {
			pid, _ = strconv.Atoi(digits)
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if pid == 0 {
		t.Fatal("the child started no server")
	}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(10 * time.Second); running(pid); <-ticker.C {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("redis-server %d outlived its test process", pid)
		}
	}
}

// running is false for a zombie: nobody may have waited for an orphan yet.
func running(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func serverPID(t *testing.T, client redis.UniversalClient) int {
	t.Helper()
	info := client.InfoMap(t.Context(), "server").Item("Server", "process_id")
	pid, err := strconv.Atoi(info)
	if err != nil {
		t.Fatalf("process_id %q: %v", info, err)
	}
	return pid
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		redistest.Start(b).Kill()
	}
}

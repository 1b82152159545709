//go:build unix

package private_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redisconn/private"
)

// folder is a directory short enough for a socket in it.
func folder(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "private")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func start(t *testing.T, dir string, log zerolog.Logger) *private.Server {
	t.Helper()
	s, err := private.Start(t.Context(), private.Options{Dir: dir, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func open(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	client, err := redisconn.Open(redisconn.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// pid is the process of the redis-server.
func pid(t *testing.T, client redis.UniversalClient) int {
	t.Helper()
	text := client.InfoMap(t.Context(), "server").Item("Server", "process_id")
	id, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("process_id %q: %v", text, err)
	}
	return id
}

// eventually asks again until it is true, for 20 seconds at most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("never: ", what)
		}
	}
}

// It is nobody else's, it loses no mail, and it keeps its data.
func TestLife(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, runs := private.Find(dir); runs {
		t.Error("one runs before the start")
	}
	s := start(t, dir, zerolog.Nop())
	if url, runs := private.Find(dir); !runs || url != s.URL() {
		t.Errorf("found %q, %v, not %q", url, runs, s.URL())
	}
	for name, want := range map[string]os.FileMode{"": 0o755, "redis": 0o700, "redis/redis.sock": 0o700, "redis/redis.log": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v", name, info.Mode(), err)
		}
	}
	client := open(t, s.URL())
	if w := redisconn.Warnings(t.Context(), client); len(w) > 0 {
		t.Errorf("it warns: %q", w)
	}
	if port := client.ConfigGet(t.Context(), "port").Val()["port"]; port != "0" {
		t.Errorf("it listens on port %s", port)
	}
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Err(); err != nil {
		t.Errorf("after Stop: %v", err)
	}
	if _, runs := private.Find(dir); runs {
		t.Error("one runs after the end")
	}
	again := open(t, start(t, dir, zerolog.Nop()).URL())
	if got := again.Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("after a restart: %q", got)
	}
}

// A server that crashes is started again, with its data and at its place, but not
// without end.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	var log strings.Builder
	s := start(t, dir, zerolog.New(zerolog.SyncWriter(&log)))
	client := open(t, s.URL())
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		if n == 3 { // what is on the disk cannot be read any more
			if err := os.WriteFile(filepath.Join(dir, "redis", "appendonlydir", "appendonly.aof.manifest"), []byte("nonsense\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		id := pid(t, client)
		if err := syscall.Kill(id, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if n < 3 {
			eventually(t, "it is back", func() bool { return client.Get(t.Context(), "k").Val() == "v" && pid(t, client) != id })
		}
	}
	err := s.Err()
	if err == nil || !strings.Contains(err.Error(), "again and again (signal: killed)") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%q", err)
	}
	t.Log(err)
	if err := s.Stop(); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if n := strings.Count(log.String(), "is started again"); n != 3 || !strings.Contains(log.String(), "signal: killed") {
		t.Errorf("log: %s", log.String())
	}
	if _, err := private.Start(t.Context(), private.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "manifest") {
		t.Errorf("with data that cannot be read: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	t.Run("in use", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		first := start(t, dir, zerolog.Nop())
		_, err := private.Start(t.Context(), private.Options{Dir: dir})
		if !errors.Is(err, private.ErrInUse) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())+" ") {
			t.Errorf("%v", err)
		}
		if err := open(t, first.URL()).Ping(t.Context()).Err(); err != nil {
			t.Errorf("the first one suffers: %v", err)
		}
	})
	t.Run("path too long", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(folder(t), strings.Repeat("long", 25))
		_, err := private.Start(t.Context(), private.Options{Dir: dir})
		if !errors.Is(err, private.ErrTooLong) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Error("a directory was made")
		}
	})
	t.Run("path just not too long, and an @ in it", func(t *testing.T) {
		t.Parallel()
		dir := folder(t) + "/a@b"
		dir += strings.Repeat("x", 107-len("/redis/redis.sock")-len(dir))
		if err := open(t, start(t, dir, zerolog.Nop()).URL()).Ping(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	})
	t.Run("no permission", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(folder(t), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := private.Start(t.Context(), private.Options{Dir: file}); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%v", err)
		}
	})
}

func TestNoProgram(t *testing.T) {
	dir := folder(t)
	t.Setenv("PATH", t.TempDir())
	_, err := private.Start(t.Context(), private.Options{Dir: dir})
	if !errors.Is(err, private.ErrMissing) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestDefaultDir(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		environ []string
		want    string
	}{
		"state":          {[]string{"HOME=/home/max", "XDG_STATE_HOME=/state"}, "/state/rohrpost"},
		"home":           {[]string{"HOME=/home/max"}, "/home/max/.local/state/rohrpost"},
		"state relative": {[]string{"HOME=/home/max", "XDG_STATE_HOME=state"}, "/home/max/.local/state/rohrpost"},
		"nothing":        {nil, ""},
	} {
		got, err := private.DefaultDir(tt.environ)
		if got != tt.want || errors.Is(err, private.ErrNoHome) != (tt.want == "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// child is the variable by which this test binary, run once more, knows that it is
// the parent of a server in that directory.
const child = "PRIVATE_TEST_DIR"

// TestParent is such a parent, until it is killed. It tells how much was answered.
func TestParent(t *testing.T) {
	dir := os.Getenv(child)
	if dir == "" {
		return
	}
	client := open(t, start(t, dir, zerolog.Nop()).URL())
	for i := int64(1); ; i++ {
		n, err := client.RPush(t.Context(), "list", "x").Result()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(os.Stdout, "\nwrote %d\n", n)
	}
}

// killedParent runs one, and kills it after so many writes. It returns how many
// were answered.
func killedParent(t *testing.T, dir string, writes int) (answered int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestParent$")
	cmd.Env = append(os.Environ(), child+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if digits, ok := strings.CutPrefix(lines.Text(), "wrote "); ok {
			answered, _ = strconv.Atoi(digits)
		}
		if answered == writes {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return answered
}

// After a kill the next one comes at once, and has every write that was answered.
func TestKilledParent(t *testing.T) {
	t.Parallel()
	dir, answered := folder(t), 0
	for round := range 3 {
		answered = killedParent(t, dir, answered+500)
		if runtime.GOOS == "linux" && round == 0 {
			eventually(t, "the server ends with its parent", func() bool { _, runs := private.Find(dir); return !runs })
		}
		s := start(t, dir, zerolog.Nop())
		n := open(t, s.URL()).LLen(t.Context(), "list").Val()
		t.Logf("%d writes were answered, %d are there", answered, n)
		if answered < 500*(round+1) || n < int64(answered) {
			t.Errorf("%d writes were answered, %d are there", answered, n)
		}
		answered = int(n)
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

package attack

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// A console is the dashboard as its operator's browser uses it.
type console struct {
	t    *testing.T
	addr string
}

func (c console) send(method, path, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(method, "http://"+c.addr+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.SetBasicAuth("olga", "pw")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

var (
	scriptPath = regexp.MustCompile(`src="(/queues/static/js/main\.[^"]+)"`)
	// callInScript is a call as asynqmon's minified script has it:
	// method:"post",url:"".concat(Re(),"/queues/").concat(t,"/retry_tasks/").concat(a,":run")
	callInScript  = regexp.MustCompile(`method:"(post|delete|put|patch)",url:"".concat\(\w+\(\),"([^"]*)"\)((?:\.concat\(\w+(?:,"[^"]*")?\))*)`)
	canceledMails = regexp.MustCompile(`(\d+) of \d+ mails canceled`)
	concat        = regexp.MustCompile(`\.concat\(\w+(?:,"([^"]*)")?\)`)
)

// A call is a request that a button of the dashboard makes. Its pattern has %s for
// the queue, and then for a group or a task.
type call struct{ method, pattern string }

// calls reads from the dashboard's own script all that its buttons can ask for.
func (c console) calls() []call {
	c.t.Helper()
	_, page := c.send("GET", "/queues/", "")
	script := scriptPath.FindStringSubmatch(page)
	if script == nil {
		c.t.Fatalf("no script in %s", page)
	}
	_, text := c.send("GET", script[1], "")
	var list []call
	for _, m := range callInScript.FindAllStringSubmatch(text, -1) {
		pattern := m[2]
		for _, part := range concat.FindAllStringSubmatch(m[3], -1) {
			pattern += "%s" + part[1]
		}
		list = append(list, call{strings.ToUpper(m[1]), "/queues/api" + pattern})
	}
	if n := len(regexp.MustCompile(`method:"(?:post|delete|put|patch)"`).FindAllString(text, -1)); n != len(list) || n < 40 {
		c.t.Fatalf("%d of %d calls were read", len(list), n)
	}
	return list
}

// to is the path of a call for a queue and a task; what else it names is "g".
func (c call) to(queue, task string) string {
	args := []any{queue, "g", task}[:strings.Count(c.pattern, "%s")]
	if len(args) > 1 && !strings.Contains(c.pattern, "/groups/") {
		args[1] = task
	}
	return fmt.Sprintf(c.pattern, args...)
}

// X1: everything that the dashboard's buttons can ask for is asked for, with 1,000
// mails in retry. Nothing is lost; what was canceled is written down, and by whom.
func TestX1DeleteAll(t *testing.T) {
	t.Parallel()
	const mails = 1000
	s, rdb := deferred(t, mails)
	c := console{t, s.start("web").addr}
	ids, canceled, refused := everyTask(t, rdb), 0, 0
	for i, call := range c.calls() {
		body, err := json.Marshal(map[string][]string{"task_ids": ids[3*i+1 : 3*i+3]})
		if err != nil {
			t.Fatal(err)
		}
		status, answer := c.send(call.method, call.to("default", ids[3*i]), string(body))
		t.Log(call.method, call.pattern, status, strings.TrimSpace(answer))
		if status == http.StatusForbidden {
			refused++
		}
		if n := canceledMails.FindStringSubmatch(answer); n != nil {
			k, _ := strconv.Atoi(n[1])
			canceled += k
		}
	}
	out, problem, err := s.try("", "queue", "check", "--json", "--pause", "200ms")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var sum struct {
		OnTheWay int            `json:"on_the_way"`
		States   map[string]int `json:"states"`
		Wrong    int            `json:"wrong"`
		InDoubt  int            `json:"in_doubt"`
	}
	if jsonErr := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil || jsonErr != nil {
		t.Errorf("queue check: %v, %s %s", err, out, problem)
	}
	if canceled == 0 || sum.OnTheWay != mails-canceled || sum.States["canceled"] != canceled || sum.Wrong+sum.InDoubt != 0 {
		t.Errorf("%d canceled, and then %+v", canceled, sum)
	}
	if n := len(everyTask(t, rdb)); n != mails-canceled {
		t.Errorf("%d tasks, want %d", n, mails-canceled)
	}
	history := s.run("", "queue", "history", "--json", "--limit", "1000")
	if n := strings.Count(history, `"outcome":"refused"`); n != refused || refused == 0 {
		t.Errorf("%d lines of %d refused acts in %s", n, refused, history)
	}
	for _, want := range []string{`"who":"olga","source":"dashboard"`, `"action":"cancel","outcome":"done","queue":"default","mails":[{"tenant":"acme","id":"`} {
		if !strings.Contains(history, want) {
			t.Errorf("%s is not in %s", want, history)
		}
	}
	if strings.Contains(history, "example.org") || strings.Contains(history, "secret words") {
		t.Errorf("something of a mail is in %s", history)
	}
}

// X1: a mail that another tool has deleted is in doubt at once, and told with that
// cause once it is certain.
func TestX1DeletedElsewhere(t *testing.T) {
	t.Parallel()
	const mails = 30
	s, rdb := deferred(t, mails)
	if n, err := asynq.NewInspectorFromRedisClient(rdb).DeleteAllRetryTasks("default"); err != nil || n != mails {
		t.Fatal(n, err)
	}
	out, problem, err := s.try("", "queue", "check", "--pause", "100ms")
	if err == nil || strings.Contains(out, "exactly one place") || !strings.Contains(out, "30 mails on the way, in doubt") || !strings.Contains(problem, "30 mails in doubt") {
		t.Errorf("%v: %s %s", err, out, problem)
	}
}

// X1: a paused queue is seen by whoever asks why a mail does not leave.
func TestX1Pause(t *testing.T) {
	t.Parallel()
	s, rdb := deferred(t, 1)
	id, _, _ := strings.Cut(everyTask(t, rdb)[0], ",") // the tenant follows
	c := console{t, s.start("web").addr}
	if status, answer := c.send("POST", "/queues/api/queues/default:pause", ""); status >= 300 {
		t.Fatal(status, answer)
	}
	if out := s.run("", "status", id); !strings.Contains(out, "queue default since") || !strings.Contains(out, "by olga") {
		t.Errorf("status: %s", out)
	}
	if out := s.run("", "status", "--json", id); !strings.Contains(out, `"queue_paused_since":"20`) {
		t.Errorf("status: %s", out)
	}
	if _, page := c.send("GET", "/", ""); !strings.Contains(page, "has been paused since") {
		t.Errorf("start page: %s", page)
	}
	if _, page := c.send("GET", "/metrics", ""); !strings.Contains(page, `rohrpost_queue_paused{queue="default"} 1`) {
		t.Errorf("metrics: %s", page)
	}
}

// deferred is a site with that many mails in retry, since their server defers them.
func deferred(t *testing.T, mails int) (*site, redis.UniversalClient) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	server := smtptest.Start(t, smtptest.Options{})
	server.On(smtptest.RCPT, smtptest.Reply(450, "4.2.0 greylisted, try again later"))
	s := newSite(t, fmt.Sprintf("web: {users: [{name: olga, role: operator, password_bcrypt: %q}]}\n", hash))
	s.write("accounts.yaml", fmt.Sprintf("platform: {address: a@b.example, smtp: {host: 127.0.0.1, port: %d, encryption: none}}\n", server.Port()))
	var batch strings.Builder
	for i := range mails {
		fmt.Fprintf(&batch, `{"id":"invoice-2026-%04d","tenant":"acme","to":["a%d@example.org"],"text":"secret words"}`+"\n", i, i)
	}
	s.run(batch.String(), "send", "--batch")
	worker := s.start("worker")
	rdb := s.redis.Client(t)
	waitFor(t, "all mails are deferred", func() bool {
		return rdb.ZCard(t.Context(), "asynq:{default}:retry").Val() == int64(mails)
	})
	if err := worker.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the worker has ended", func() bool { return !answers(worker.addr) })
	return s, rdb
}

func answers(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// everyTask is the ids of all tasks, wherever they are.
func everyTask(t *testing.T, rdb redis.UniversalClient) []string {
	t.Helper()
	const prefix = "asynq:{default}:t:"
	var ids []string
	for _, key := range rdb.Keys(t.Context(), prefix+"*").Val() {
		ids = append(ids, strings.TrimPrefix(key, prefix))
	}
	slices.Sort(ids)
	return ids
}

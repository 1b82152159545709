package producer_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

func TestScriptsAreLoadedAgain(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	for _, id := range []string{"", "a"} {
		m := mail()
		m.ID, m.Attachments = id, []rohrpost.Attachment{{Name: "a", Content: []byte("a")}}
		for range 2 {
			if err := rdb.ScriptFlush(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			mustSend(t, client, m)
		}
		if err := rdb.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Cancel(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := tasks(t, rdb); len(got) != 2 {
		t.Errorf("tasks %q", got)
	}
}

func TestRedisAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.AOF())
	rdb := server.Client(t)
	client, err := producer.New(rdb, producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, client, mail(), producer.WithID("before"))
	server.Stop()

	own, err := client.Send(t.Context(), mail(), producer.WithID("own"))
	oneLine(t, err)
	if own != (rohrpost.Receipt{ID: "own"}) {
		t.Errorf("receipt %+v", own)
	}
	random, err := client.Send(t.Context(), mail())
	oneLine(t, err)
	results, err := client.SendBatch(t.Context(), []rohrpost.Message{mail(), {}, mail()})
	oneLine(t, err)
	if results[0].Err == nil || results[2].Err == nil || !errors.As(results[1].Err, new(rohrpost.FieldErrors)) {
		t.Errorf("results %+v", results)
	}
	_, err = client.Status(t.Context(), "before")
	oneLine(t, err)
	oneLine(t, client.Cancel(t.Context(), "before"))

	server.Start()
	untilItAnswers(t, rdb)
	for _, id := range []string{own.ID, random.ID, results[0].Receipt.ID} {
		if r := mustSend(t, client, mail(), producer.WithID(id)); r.Duplicate || r.ID != id || id == "" {
			t.Errorf("sent again: %+v", r)
		}
	}
	if r := mustSend(t, client, mail(), producer.WithID("before")); !r.Duplicate {
		t.Errorf("sent again: %+v", r)
	}
	if got := tasks(t, rdb); len(got) != 4 {
		t.Errorf("tasks %q", got)
	}
}

// A reply is lost after Redis has done its work. go-redis asks again by itself;
// when that fails too, the application does, under the id of the receipt.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	const always = 1000
	tests := []struct {
		name       string
		id         string
		pass, lose int64
		fails      bool
	}{
		{"fresh id", "", 0, 1, false},
		{"own id, the reservation", "own", 0, 1, false},
		{"own id, the task", "own", 1, 1, false},
		{"fresh id, for good", "", 0, always, true},
		{"own id, the reservation, for good", "own", 0, always, true},
		{"own id, the task, for good", "own", 1, always, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.TCP())
			between := newProxy(t, server.Addr())
			client, err := producer.Open(between.url())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			mustSend(t, client, mail(), producer.WithID("warm")) // the scripts are loaded
			between.loseAfter(tt.pass, tt.lose)

			receipt, err := client.Send(t.Context(), mail(), producer.WithID(tt.id))
			between.loseAfter(0, 0)
			if between.lost.Load() == 0 {
				t.Fatal("no reply was lost")
			}
			if (err != nil) != tt.fails || receipt.ID == "" || receipt.Duplicate {
				t.Fatalf("got %+v, %v", receipt, err)
			}
			if tt.fails {
				oneLine(t, err)
				mustSend(t, client, mail(), producer.WithID(receipt.ID))
			}
			rdb := server.Client(t)
			if got := tasks(t, rdb); len(got) != 2 {
				t.Errorf("tasks %q", got)
			}
			job, st := queued(t, rdb, "default", receipt.ID), status(t, client, receipt.ID)
			if known := rdb.HGet(t.Context(), record(receipt.ID), "m").Val(); job.MessageID != "<"+receipt.ID+known || st.State != rohrpost.Queued {
				t.Errorf("the mail %+v is not the one of the record %+v", job, st)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	const password = "s3cret"
	server := redistest.Start(t, redistest.TCP(), redistest.Password(password))
	gone := redistest.Start(t, redistest.TCP())
	gone.Stop()
	for _, tt := range []struct{ name, url string }{
		{"nobody there", "redis://:" + password + "@" + gone.Addr() + "/0"},
		{"no password", "redis://" + server.Addr() + "/0"},
		{"wrong password", "redis://:" + password + "x@" + server.Addr() + "/0"},
		{"unknown scheme", "http://:" + password + "@host"},
		{"no URL", password},
		{"bad port", "redis://:" + password + "@host:port/0"},
		{"embedded", "embedded:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, err := producer.Open(tt.url)
			if client != nil {
				t.Error("there is a client")
			}
			oneLine(t, err)
			if err != nil && tt.url != password && strings.Contains(err.Error(), password) {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
	client, err := producer.Open(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, client, mail())
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = client.Send(t.Context(), mail())
	oneLine(t, err)
}

func TestCloseLeavesAForeignClientOpen(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	for name, o := range map[string]producer.Options{
		"negative size": {MaxSize: -1},
		"negative keep": {Keep: -1},
		"injection":     {MessageIDDomain: "a>\r\nBcc: x@y"},
		"address":       {MessageIDDomain: "max@acme.example"},
		"not ASCII":     {MessageIDDomain: "bücher.example"},
	} {
		if _, err := producer.New(rdb, o); err == nil || !strings.HasPrefix(err.Error(), "producer: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := producer.New(nil, producer.Options{}); err == nil {
		t.Error("no Redis client, and no error")
	}
}

// Applications link what they use: no worker, no resolver, no composing.
func TestDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("only %d packages", len(deps))
	}
	const own = "github.com/rohrpost/rohrpost/"
	for _, dep := range deps {
		for _, banned := range []string{
			own + "worker", own + "resolver", own + "errorlog", own + "configs",
			own + "internal/transport", own + "internal/web", own + "internal/app", own + "internal/failure",
			"github.com/wneessen/", "github.com/alicebob/", "github.com/spf13/cobra", "testing",
		} {
			if strings.HasPrefix(dep, banned) {
				t.Errorf("producer links %s", dep)
			}
		}
	}
}

func oneLine(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("no error")
	} else if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}

package redisconn_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A client finds the master that has taken the place of a dead one, and soon.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 1)
	client, ctx := open(t, redisconn.Options{URL: cluster.URL()}), t.Context()
	if err := redisconn.Ping(ctx, client); err != nil {
		t.Fatal(err)
	}
	write := func() (err error) {
		for i := range 20 {
			err = errors.Join(err, client.Set(ctx, fmt.Sprint("k", i), "v", 0).Err())
		}
		return err
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	cluster.Node(2).Kill()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); write() != nil; <-ticker.C {
		if time.Since(begin) > 20*time.Second {
			t.Fatal(write())
		}
	}
}

// The sentinel is scripted, the master real, with a password of its own.
func TestSentinel(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t, redistest.TCP(), redistest.Password("master's"))
	sentinel, err := server.NewServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sentinel.Close)
	asked := make(chan string, 100)
	host, port, _ := net.SplitHostPort(master.Addr())
	commands := map[string]server.Cmd{
		"AUTH": func(c *server.Peer, _ string, args []string) {
			asked <- "AUTH " + strings.Join(args, " ")
			c.WriteOK()
		},
		"CLIENT": func(c *server.Peer, _ string, _ []string) { c.WriteOK() },
		"SENTINEL": func(c *server.Peer, _ string, args []string) {
			if args[0] != "get-master-addr-by-name" {
				c.WriteLen(0)
				return
			}
			asked <- args[1]
			c.WriteStrings([]string{host, port})
		},
	}
	for name, command := range commands {
		if err := sentinel.Register(name, command); err != nil {
			t.Fatal(err)
		}
	}
	url := "redis+sentinel://:master%27s@" + sentinel.Addr().String() + "/main/3?sentinel_password=sentinel%27s"
	client := open(t, redisconn.Options{URL: url})
	if err := redisconn.Ping(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(asked) > 0 { // sent before it answered
		got = append(got, <-asked)
	}
	if want := []string{"AUTH sentinel's", "main"}; len(got) < 2 || !slices.Equal(got[:2], want) {
		t.Errorf("the sentinel was asked %q", got)
	}
	if info := client.ClientInfo(t.Context()).Val(); info == nil || info.DB != 3 || info.Name != "rohrpost" {
		t.Errorf("on the master: %+v", info)
	}
}

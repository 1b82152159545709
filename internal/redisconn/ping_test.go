package redisconn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
)

func open(t *testing.T, o redisconn.Options) redis.UniversalClient {
	t.Helper()
	client, err := redisconn.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// serve answers every connection with text and keeps it open until the test ends.
func serve(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = c.Close() }()
			_, _ = io.WriteString(c, text)
		}
	}()
	return l.Addr().String()
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestPing(t *testing.T) {
	t.Parallel()
	plain := redistest.Start(t, redistest.TCP()).Addr()
	guarded := redistest.Start(t, redistest.TCP(), redistest.Password("right"), redistest.Args("--user", "max", "on", ">hunter2", "~asynq:*", "+ping", "+hello", "+auth", "+select", "+client")).Addr()
	loading := miniredis.RunT(t)
	loading.SetError("LOADING Redis is loading the dataset in memory")
	tests := map[string]struct {
		url      string
		password string
		want     error
		text     string
	}{
		"alive":                         {url: "redis://" + plain},
		"password":                      {url: "redis://" + guarded, password: "right"},
		"password in the URL":           {url: "redis://:right@" + guarded},
		"ACL user":                      {url: "redis://max:hunter2@" + guarded},
		"ACL user, password apart":      {url: "redis://max@" + guarded, password: "hunter2"},
		"needs a password":              {url: "redis://" + guarded, want: redisconn.ErrNeedsPassword, text: "redis.password_file"},
		"wrong password":                {url: "redis://:hunter2@" + guarded, want: redisconn.ErrWrongPassword, text: "check redis.password"},
		"unknown user":                  {url: "redis://moritz:hunter2@" + guarded, want: redisconn.ErrWrongPassword},
		"password nobody asked for":     {url: "redis://:hunter2@" + plain},
		"user that an open one has not": {url: "redis://max:hunter2@" + plain, want: redisconn.ErrWrongPassword},
		"nobody there":                  {url: "redis://" + closedPort(t), want: redisconn.ErrUnreachable, text: "connection refused"},
		"no such socket":                {url: "unix:///nonexistent/redis.sock", want: redisconn.ErrUnreachable, text: "no such file"},
		"silent":                        {url: "redis://" + serve(t, ""), want: redisconn.ErrUnreachable, text: "no answer in time"},
		"a web server":                  {url: "redis://" + serve(t, "HTTP/1.1 400 Bad Request\r\n\r\n"), want: redisconn.ErrNotRedis},
		"a mail server":                 {url: "redis://" + serve(t, "220 mail.example ESMTP\r\n"), want: redisconn.ErrNotRedis},
		"TLS to a plain Redis":          {url: "rediss://" + plain, want: redisconn.ErrUnreachable, text: "rediss://"},
		"loading":                       {url: "redis://" + loading.Addr(), want: redisconn.ErrLoading},
		"TLS to a mail server":          {url: "rediss://" + serve(t, "220 mail.example ESMTP\r\n"), want: redisconn.ErrNotRedis, text: "TLS"},
		"no cluster":                    {url: "redis+cluster://" + plain, want: redisconn.ErrRefused},
		"no sentinel":                   {url: "redis+sentinel://" + closedPort(t) + "/main", want: redisconn.ErrUnreachable, text: "master"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := open(t, redisconn.Options{URL: tt.url, Password: secret.New(tt.password)})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			err := redisconn.Ping(ctx, client)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if err == nil {
				return
			}
			t.Log(err)
			if s := err.Error(); strings.Contains(s, "hunter2") || strings.Contains(s, "\n") || !strings.Contains(s, tt.text) {
				t.Errorf("%q: not one line, the password, or without %q", s, tt.text)
			}
		})
	}
}

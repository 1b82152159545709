package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// TestProgress goes through the steps; what counts is the furthest one.
func TestProgress(t *testing.T) {
	t.Parallel()
	lost := &url.Error{Op: http.MethodPost, URL: "https://graph.example/users/max@acme.example", Err: io.ErrUnexpectedEOF}
	unknown := errors.New("http2: server sent GOAWAY and closed the connection")
	garbled := errors.New("remote error: tls: bad record MAC")
	read := func(p *progress, n int) { _, _ = io.ReadFull(p, make([]byte, n)) } // the cases run side by side
	for _, c := range []struct {
		name  string
		do    func(p *progress)
		err   error
		stage failure.Stage
		class failure.Class
	}{
		{"nothing", func(*progress) {}, lost, failure.StageConnect, failure.Transient},
		{"handshake", func(p *progress) { p.reach(encrypting) }, lost, failure.StageTLS, failure.Transient},
		{"connection", func(p *progress) { p.reach(sending) }, lost, failure.StageData, failure.Transient},
		{"connection, while another is opened", func(p *progress) { p.reach(sending); p.reach(encrypting) }, lost, failure.StageData, failure.Transient},
		{"half of the mail", func(p *progress) { p.reach(sending); read(p, 1) }, lost, failure.StageData, failure.Transient},
		{"half of the mail, stopped", func(p *progress) { p.reach(sending); read(p, 1) }, context.Canceled, failure.StageData, failure.Transient},
		{"the whole mail", func(p *progress) { p.reach(sending); read(p, 6) }, lost, failure.StageAPI, failure.Uncertain},
		{"the whole mail, any error", func(p *progress) { read(p, 6) }, unknown, failure.StageAPI, failure.Uncertain},
		{"the whole mail, broken TLS", func(p *progress) { read(p, 6) }, garbled, failure.StageAPI, failure.Uncertain},
		{"the whole mail, stopped", func(p *progress) { read(p, 6) }, context.Canceled, failure.StageAPI, failure.Uncertain},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newProgress([][]byte{[]byte("abc"), nil, []byte("def")})
			if p.left != 6 {
				t.Fatalf("%d octets", p.left)
			}
			c.do(p)
			f := p.failure(c.err, "graph.example", nil)
			if f.Stage != c.stage || f.Class != c.class || strings.Contains(f.Error(), "acme") {
				t.Errorf("%v of class %s, want %s at %s", f, f.Class, c.class, c.stage)
			}
			if _, err := p.Read(make([]byte, 1)); err == nil {
				t.Error("it can be read when it has been judged")
			}
		})
	}
}

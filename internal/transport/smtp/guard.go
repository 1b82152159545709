package smtp

import "github.com/rohrpost/rohrpost/internal/transport"

// A Guard is that of all transports.
type Guard = transport.Guard

// A Lease is that of all transports.
type Lease = transport.Lease

// guard is the server's, or one that lets everything pass.
func (s *Server) guard() Guard {
	if s.Guard == nil {
		return transport.Unguarded{}
	}
	return s.Guard
}

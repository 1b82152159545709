package smtp

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A Guard watches over the connections of one account: package gate's knowledge
// of it, which all workers share.
type Guard interface {
	// Take gives a lease for one more connection; limit is how many there may be
	// over all workers. The error wraps transport.ErrBusy if there is no lease, and
	// is a *failure.Failure if the login with these settings was refused.
	Take(ctx context.Context, limit int) (Lease, error)
}

// A Lease is the right to one open connection.
type Lease interface {
	// Opened is told that the connection is open and logged in, or why not, before
	// anybody can take the next lease.
	Opened(ctx context.Context, f *failure.Failure)
	// Release gives the lease back, once the connection is closed. No mail waits
	// for it.
	Release()
}

// guard is the server's, or one that lets everything pass.
func (s *Server) guard() Guard {
	if s.Guard == nil {
		return unguarded{}
	}
	return s.Guard
}

// unguarded is the Guard and the Lease of nobody.
type unguarded struct{}

func (unguarded) Take(context.Context, int) (Lease, error) { return unguarded{}, nil }
func (unguarded) Opened(context.Context, *failure.Failure) {}
func (unguarded) Release()                                 {}

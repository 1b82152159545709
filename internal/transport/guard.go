package transport

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A Guard limits the connections, or requests under way, of one account over all
// workers, and knows whether the server has refused its login.
type Guard interface {
	// Take gives a lease for one more connection; limit is how many there may be
	// over all workers. The error wraps ErrBusy if there is no lease, and is a
	// *failure.Failure if the login with these settings was refused.
	Take(ctx context.Context, limit int) (Lease, error)
}

// A Lease is the right to one open connection, or one request.
type Lease interface {
	// Opened is told that the connection is open and logged in, or why not, before
	// anybody can take the next lease.
	Opened(ctx context.Context, f *failure.Failure)
	// Release gives the lease back, once the connection is closed. No mail waits
	// for it.
	Release()
}

// Unguarded is the Guard and the Lease of an account whose connections nobody counts.
type Unguarded struct{}

// Take implements Guard.
func (Unguarded) Take(context.Context, int) (Lease, error) { return Unguarded{}, nil }

// Opened implements Lease.
func (Unguarded) Opened(context.Context, *failure.Failure) {}

// Release implements Lease.
func (Unguarded) Release() {}

package e2e

import (
	"context"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost"
)

// A flow sends mails one after the other.
type flow struct {
	stop     context.CancelFunc
	done     sync.WaitGroup
	receipts []rohrpost.Receipt
}

// flow begins one, in which the tenants take turns.
func (s *site) flow(pause time.Duration, tenants ...string) *flow {
	ctx, cancel := context.WithCancel(s.t.Context())
	f := &flow{stop: cancel}
	f.done.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for n := 0; ; n++ {
			m := message()
			m.Tenant = tenants[n%len(tenants)]
			r, err := s.mail.Send(s.t.Context(), m)
			if err != nil {
				s.t.Error(err)
				return
			}
			f.receipts = append(f.receipts, r)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	s.t.Cleanup(func() { f.end() })
	return f
}

// end ends the flow. It may be called twice.
func (f *flow) end() []rohrpost.Receipt {
	f.stop()
	f.done.Wait()
	return f.receipts
}

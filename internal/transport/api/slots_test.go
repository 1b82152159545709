package api

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

// TestSlots lets three in at a time for each key, in order, and forgets a key
// that nobody uses.
func TestSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots()
		var (
			mu    sync.Mutex
			order []int
			wg    sync.WaitGroup
		)
		leave := make(chan struct{})
		for i := range 10 {
			wg.Go(func() {
				release, err := s.acquire(t.Context(), "a", 3)
				if err != nil {
					t.Error(err)
					return
				}
				defer release()
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				<-leave
			})
			synctest.Wait()
		}
		if len(order) != 3 {
			t.Errorf("%d at a time", len(order))
		}
		other, err := s.acquire(t.Context(), "b", 3)
		if err != nil {
			t.Error(err)
		}
		other()
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if _, err := s.acquire(ctx, "a", 3); !errors.Is(err, context.Canceled) {
				t.Errorf("given up with %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		for range 10 {
			leave <- struct{}{}
			synctest.Wait()
		}
		wg.Wait()
		for i, n := range order {
			if i != n {
				t.Fatalf("order %v", order)
			}
		}
		if len(s.all) != 0 {
			t.Errorf("%d keys are kept", len(s.all))
		}
	})
}

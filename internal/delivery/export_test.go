package delivery

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/reconcile"
)

// Reconcile is reconcile, for the tests with everything around it.
func (w *Worker) Reconcile(ctx context.Context, o reconcile.Options) error {
	return w.reconcile(ctx, o)
}

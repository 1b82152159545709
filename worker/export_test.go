package worker

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/inventory"
)

// TakeStock is takeStock, for the tests with everything around it.
func (w *Worker) TakeStock(ctx context.Context, o inventory.Options) error {
	return w.takeStock(ctx, o)
}

package pages

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost/producer"
)

// mails lets the pages act on mails as the tenant whose they are.
type mails struct{ client *producer.Client }

func (m mails) Cancel(ctx context.Context, tenant, id string) error {
	return m.client.ForTenant(tenant).Cancel(ctx, id)
}

func (m mails) Retry(ctx context.Context, tenant, id string) error {
	return m.client.ForTenant(tenant).Retry(ctx, id)
}

func (m mails) Reschedule(ctx context.Context, tenant, id string, at time.Time) error {
	return m.client.ForTenant(tenant).Reschedule(ctx, id, at)
}

package app

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost/producer"
)

// mails lets the pages act on mails as an application would.
type mails struct{ client *producer.Client }

// owned refuses a mail of another tenant as unknown.
func (m mails) owned(ctx context.Context, tenant, id string) error {
	st, err := m.client.Status(ctx, id)
	if err == nil && st.Tenant != tenant {
		err = producer.ErrNotFound
	}
	return err
}

func (m mails) Cancel(ctx context.Context, tenant, id string) error {
	if err := m.owned(ctx, tenant, id); err != nil {
		return err
	}
	return m.client.Cancel(ctx, id)
}

func (m mails) Retry(ctx context.Context, tenant, id string) error {
	if err := m.owned(ctx, tenant, id); err != nil {
		return err
	}
	return m.client.Retry(ctx, id)
}

func (m mails) Reschedule(ctx context.Context, tenant, id string, at time.Time) error {
	if err := m.owned(ctx, tenant, id); err != nil {
		return err
	}
	return m.client.Reschedule(ctx, id, at)
}

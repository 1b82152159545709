package pages

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/problems"
)

// counts are the numbers of the overview, which the index of mails has.
type counts struct{ index *mailindex.Index }

// Hours implements overview.Counts. A mail that a part of its recipients did not get has
// failed.
func (c counts) Hours(ctx context.Context, whose problems.Whose, from, to time.Time) ([]overview.Hour, error) {
	var hours []mailindex.Hour
	var err error
	if whose.All {
		hours, err = c.index.HoursOfAll(ctx, from, to)
	} else {
		hours, err = c.index.Hours(ctx, whose.Tenant, from, to)
	}
	if err != nil {
		return nil, err
	}
	list := make([]overview.Hour, len(hours))
	for i, h := range hours {
		list[i] = overview.Hour{
			Time: h.Time, Accepted: h.States[rohrpost.Accepted],
			Failed: h.States[rohrpost.Failed] + h.States[rohrpost.Expired] + h.States[rohrpost.Partly],
		}
	}
	return list, nil
}

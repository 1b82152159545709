package mailpages

import (
	"errors"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// fault is why something was not done to a mail, in English; it is not known if the
// reason is none of the mail's.
func fault(err error) (text string, known bool) {
	if fields, ok := errors.AsType[rohrpost.FieldErrors](err); ok && len(fields) > 0 {
		return fields[0].Problem, true
	}
	for _, reason := range []error{
		errTime, producer.ErrFinal, producer.ErrSending, producer.ErrNothingToRetry, producer.ErrContentGone, producer.ErrNotFailed, producer.ErrSealed,
	} {
		if errors.Is(err, reason) {
			return reason.Error(), true
		}
	}
	if quota, ok := errors.AsType[*producer.QuotaError](err); ok {
		return quota.Error(), true
	}
	return "", false
}

package worker

import (
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// A claimer takes waiting tasks over for the workers of this process.
type claimer struct{ pool *queue.Pool }

// Claim implements gate.Claimer.
func (c claimer) Claim(mails []gate.Mail, missed func(m gate.Mail, gone bool)) {
	refs := make([]queue.Ref, len(mails))
	for i, m := range mails {
		refs[i] = queue.Ref(m)
	}
	c.pool.Claim(refs, func(r queue.Ref, why queue.Miss) { missed(gate.Mail(r), why == queue.MissGone) })
}

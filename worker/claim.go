package worker

import (
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// feeds share claimed tasks among the servers of this process.
type feeds []*queue.Feed

// Claim implements gate.Claimer.
func (fs feeds) Claim(mails []gate.Mail, missed func(m gate.Mail, gone bool)) {
	free := make([]int, len(fs))
	shares := make([][]queue.Ref, len(fs))
	for i, f := range fs {
		free[i] = f.Free()
	}
	for _, m := range mails {
		best := 0
		for i := range fs {
			if free[i] > free[best] {
				best = i
			}
		}
		free[best]--
		shares[best] = append(shares[best], queue.Ref(m))
	}
	for i, refs := range shares {
		if len(refs) > 0 {
			fs[i].Claim(refs, func(r queue.Ref, why queue.Miss) { missed(gate.Mail(r), why == queue.MissGone) })
		}
	}
}

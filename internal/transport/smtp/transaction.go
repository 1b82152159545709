package smtp

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// maxGroup is the number of commands in one write. More could fill both
// directions while each side waits for the other to read (RFC 2920 §3.1).
const maxGroup = 64

// A transaction is one mail on one connection (RFC 5321 §3.3).
type transaction struct {
	*conn
	envelope *envelope
	timeouts *Timeouts
	verdicts []transport.Verdict
	reused   bool // the connection has been idle
	passed   func(failure.Stage)

	asked    []recipient // the commands are MAIL, one RCPT each, DATA
	accepted []int       // indexes in Mail.Recipients
	refused  bool        // by the reply to MAIL
	begun    bool        // the server waits for the mail: 354
	dead     bool        // a reused connection was dead before MAIL had an answer
}

// run sends the mail. Its error is that of arm.
func (x *transaction) run(ctx context.Context, arm transport.Arm) error {
	release := x.wire.hold(ctx)
	defer func() {
		// More text than replies asked for would be taken for the next reply.
		if !release() || x.r.Buffered() > 0 {
			x.broken = true
		}
	}()
	x.facts.Sender, x.facts.Recipient = x.envelope.reverse.address, ""
	if x.asked = x.envelope.forServer(&x.extensions, x.verdicts); len(x.asked) == 0 {
		return nil
	}
	if !x.reset() || !x.exchange() {
		return nil
	}
	switch {
	case x.begun && len(x.accepted) == 0:
		x.loneDot()
		return nil
	case !x.begun:
		x.aborted = true
		return nil
	}
	if err := arm(ctx, x.accepted); err != nil {
		x.broken = true // the only way to take DATA back
		return err
	}
	if err := ctx.Err(); err != nil {
		x.wire.end(err) // the goroutine that does this may be late
	}
	x.send(x.envelope.mail.Text(x.extensions.smtputf8))
	return nil
}

// reset ends what an earlier mail has left open. It is false when that fails:
// the connection is dead then.
func (x *transaction) reset() bool {
	if !x.aborted {
		return true
	}
	r, err := x.roundTrip("RSET", x.timeouts.Reset)
	if err == nil && r.positive() {
		x.aborted = false
		return true
	}
	if canceled(err) {
		return x.lose(failure.StageMail, err)
	}
	x.broken, x.dead = true, true
	return false
}

// exchange is MAIL, RCPT and DATA, in groups where the server pipelines. It is
// false when the connection has failed.
func (x *transaction) exchange() bool {
	group, end := 1, len(x.asked)+2
	if x.extensions.pipelining {
		group = maxGroup
	}
	for next := 0; next < end; {
		if x.refused || next == end-1 && len(x.accepted) == 0 {
			return true // no DATA without a recipient
		}
		n := min(group, end-next)
		x.out = x.out[:0]
		for i := next; i < next+n; i++ {
			x.out = x.appendCommand(x.out, i)
		}
		stage, limit := x.step(next)
		if err := x.wire.within(limit); err != nil {
			return x.lose(stage, err)
		}
		if _, err := x.nc.Write(x.out); err != nil {
			return x.lose(stage, x.wire.explain(err))
		}
		for ; n > 0; n, next = n-1, next+1 {
			if !x.answer(next) {
				return false
			}
		}
	}
	switch {
	case x.refused && x.begun:
		x.broken = true // it refused the mail and asks for it: no dot, whatever it would mean
		return false
	case x.r.Buffered() > 0: // it would be taken for the reply to the dot
		return x.lose(failure.StageData, textproto.ProtocolError("more replies than commands"))
	}
	return true
}

// step is what the i-th command is, and how long its reply may take.
func (x *transaction) step(i int) (failure.Stage, time.Duration) {
	switch i {
	case 0:
		return failure.StageMail, x.timeouts.Mail
	case len(x.asked) + 1:
		return failure.StageData, x.timeouts.Data
	}
	return failure.StageRcpt, x.timeouts.Rcpt
}

func (x *transaction) appendCommand(b []byte, i int) []byte {
	switch i {
	case 0:
		b = append(append(append(b, "MAIL FROM:<"...), x.envelope.reverse.address...), '>')
		if x.extensions.size {
			b = strconv.AppendInt(append(b, " SIZE="...), int64(len(x.envelope.mail.Text(x.extensions.smtputf8))), 10)
		}
		if x.envelope.needsUTF8(&x.extensions, x.asked) {
			b = append(b, " SMTPUTF8"...)
		}
	case len(x.asked) + 1:
		b = append(b, "DATA"...)
	default:
		b = append(append(append(b, "RCPT TO:<"...), x.asked[i-1].address...), '>')
	}
	return append(b, '\r', '\n')
}

// answer reads the reply to the i-th command. It is false when there is none, or
// when the server closes the connection.
func (x *transaction) answer(i int) bool {
	stage, limit := x.step(i)
	if x.facts.Recipient = ""; stage == failure.StageRcpt {
		x.facts.Recipient = x.asked[i-1].address
	}
	r, err := x.await(limit)
	switch {
	case err != nil:
		return x.lose(stage, err)
	case r.code == 421: // RFC 5321 §3.8: the server closes the connection
		x.broken = true
		if x.dead = stage == failure.StageMail && x.reused; !x.dead {
			failRest(x.verdicts, failure.Classify(r.cause(stage, x.host)))
		}
		return false
	}
	x.take(stage, i, r)
	return true
}

// take is what a reply means for the recipients.
func (x *transaction) take(stage failure.Stage, i int, r reply) {
	wanted := r.positive()
	if stage == failure.StageData {
		wanted = r.code == 354
		x.begun = wanted
	}
	if !wanted && !r.refusal() {
		x.broken = true
	}
	switch {
	case x.refused: // the rest of the group only repeats that there is no MAIL
	case stage == failure.StageRcpt && wanted:
		x.accepted = append(x.accepted, x.asked[i-1].index)
		x.passed(stage)
	case wanted:
		x.passed(stage)
	case stage == failure.StageRcpt:
		x.verdicts[x.asked[i-1].index].Failure = failure.Classify(r.cause(stage, x.host))
	default:
		x.refused = stage == failure.StageMail
		failRest(x.verdicts, failure.Classify(r.cause(stage, x.host)))
	}
}

// lose gives up the connection without an answer at this stage.
func (x *transaction) lose(stage failure.Stage, err error) bool {
	x.broken = true
	if stage == failure.StageMail && x.reused && !timedOut(err) {
		x.dead = true
		return false
	}
	failRest(x.verdicts, x.fail(stage, err))
	return false
}

// timedOut is a deadline or the end of the context: a new connection would not
// help, or not in time.
func timedOut(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout() || canceled(err)
}

func canceled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// loneDot ends a DATA that no recipient asked for (RFC 2920 §3.1).
func (x *transaction) loneDot() {
	if r, err := x.roundTrip(".", x.timeouts.Data); err != nil || r.code == 421 {
		x.broken = true
	}
}

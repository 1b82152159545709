package smtp

import (
	"bytes"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// block is what one deadline covers; a mail of a few KiB is one write.
const block = 64 << 10

// send writes the mail, the final dot with its last block, and reads the reply.
func (x *transaction) send(body []byte) {
	before := byte('\n')
	for at, last := 0, false; !last; {
		part := body[at:min(at+block, len(body))]
		at += len(part)
		last = at == len(body)
		x.out = appendStuffed(x.out[:0], part, before)
		if !last {
			before = body[at-1]
		} else {
			if !bytes.HasSuffix(body, []byte("\r\n")) {
				x.out = append(x.out, "\r\n"...)
			}
			x.out = append(x.out, ".\r\n"...)
		}
		if err := x.wire.within(x.timeouts.Block); err != nil {
			x.lose(failure.StageData, err)
			return
		}
		if n, err := x.nc.Write(x.out); err != nil {
			stage := failure.StageData
			if last && n > 0 {
				stage = failure.StageDot // a part of the end is out, perhaps all of it
			}
			x.cutShort(stage, err)
			return
		}
	}
	x.end()
}

// cutShort is the end of a connection that the mail cannot be written to. Some
// servers say why before they close it.
func (x *transaction) cutShort(stage failure.Stage, err error) {
	if r, err := x.await(x.timeouts.Quit); err == nil && r.refusal() {
		x.broken = true
		failRest(x.verdicts, failure.Classify(r.cause(stage, x.host)))
		return
	}
	x.lose(stage, x.wire.explain(err))
}

// end reads the reply that decides about the mail.
func (x *transaction) end() {
	r, err := x.await(x.timeouts.Dot)
	if err != nil {
		x.lose(failure.StageDot, err)
		return
	}
	x.mails++
	if !r.positive() {
		x.broken = r.code == 421 || !r.refusal()
		failRest(x.verdicts, failure.Classify(r.cause(failure.StageDot, x.host)))
		return
	}
	accepted := transport.Verdict{Code: r.code, Enhanced: r.enhanced(), Text: r.shown()}
	for _, i := range x.accepted {
		x.verdicts[i] = accepted
	}
}

// appendStuffed adds a dot before each that begins a line (RFC 5321 §4.5.2).
// before is the octet in front of part.
func appendStuffed(dst, part []byte, before byte) []byte {
	if before == '\n' && len(part) > 0 && part[0] == '.' {
		dst = append(dst, '.')
	}
	for {
		i := bytes.Index(part, []byte("\n."))
		if i < 0 {
			return append(dst, part...)
		}
		dst = append(append(dst, part[:i+1]...), '.')
		part = part[i+1:]
	}
}

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
	for rest, last := body, false; !last; {
		n := min(block, len(rest))
		var part []byte
		part, rest = rest[:n], rest[n:]
		last = len(rest) == 0
		before := byte('\n')
		if at := len(body) - len(rest) - n; at > 0 {
			before = body[at-1]
		}
		x.out = appendStuffed(x.out[:0], part, before)
		if last {
			if !bytes.HasSuffix(body, []byte("\r\n")) {
				x.out = append(x.out, "\r\n"...)
			}
			x.out = append(x.out, ".\r\n"...)
		}
		if err := x.wire.within(x.timeouts.Block); err != nil {
			x.loseAt(failure.StageData, -1, err)
			return
		}
		if n, err := x.nc.Write(x.out); err != nil {
			stage := failure.StageData
			if last && n > 0 {
				stage = failure.StageDot // a part of the end is out, perhaps all of it
			}
			x.loseAt(stage, -1, x.wire.explain(err))
			return
		}
	}
	x.end()
}

// end reads the reply that decides about the mail.
func (x *transaction) end() {
	err := x.wire.within(x.timeouts.Dot)
	var r reply
	if err == nil {
		r, err = x.readReply()
	}
	switch {
	case err != nil:
		x.loseAt(failure.StageDot, -1, err)
	case r.positive():
		x.mails++
		accepted := transport.Verdict{Code: r.code, Enhanced: r.enhanced(), Text: failure.Scrub(string(r.text))}
		for _, i := range x.accepted {
			x.verdicts[i] = accepted
		}
	default:
		x.mails++
		x.broken = r.code == 421 || !r.refusal()
		failRest(x.verdicts, failure.Classify(r.cause(failure.StageDot, x.host())))
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

package smtp

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// extensions are what EHLO has offered, as far as it is of use.
type extensions struct {
	starttls, pipelining, smtputf8 bool
	maxSize                        int // RFC 1870 §4; 0: none is named
	size                           bool
	mechanisms                     []string // of AUTH, in capitals
}

// hello is EHLO, or HELO for a server that does not know it (RFC 5321 §3.2).
func (c *conn) hello(name string, d time.Duration) *failure.Failure {
	if name == "" {
		name = literal(c.wire.LocalAddr())
	}
	c.facts.HELO = name
	r, err := c.roundTrip("EHLO "+name, d)
	if err == nil && (r.code == 500 || r.code == 502) {
		r, err = c.roundTrip("HELO "+name, d)
		r.text = nil // no extensions
	}
	switch {
	case err != nil:
		return c.fail(failure.StageEHLO, err)
	case !r.positive():
		return failure.Classify(r.cause(failure.StageEHLO, c.host))
	}
	c.extensions = parseExtensions(r.lines())
	c.facts.AuthOffered = len(c.extensions.mechanisms) > 0
	return nil
}

// literal is RFC 5321 §4.1.3.
func literal(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	switch {
	case !ok:
		return "[127.0.0.1]"
	case tcp.IP.To4() != nil:
		return "[" + tcp.IP.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

// parseExtensions reads the lines of an EHLO reply; the first is a greeting.
func parseExtensions(lines []string) extensions {
	var x extensions
	for _, line := range lines[1:] {
		words := strings.Fields(strings.ToUpper(line))
		if len(words) == 0 {
			continue
		}
		switch keyword, parameters := words[0], words[1:]; keyword {
		case "STARTTLS":
			x.starttls = true
		case "PIPELINING":
			x.pipelining = true
		case "SMTPUTF8":
			x.smtputf8 = true
		case "SIZE":
			x.size = true
			if len(parameters) > 0 {
				if n, err := strconv.Atoi(parameters[0]); err == nil && n > 0 {
					x.maxSize = n
				}
			}
		case "AUTH":
			x.mechanisms = parameters
		}
	}
	return x
}

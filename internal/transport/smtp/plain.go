package smtp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// unencrypted is the failure of a handshake on a port for TLS. A server that refuses the
// connection may say so in clear, before any TLS: then that is the failure. A greeting in
// clear shows that the port is none for TLS.
func (c *conn) unencrypted(err error) *failure.Failure {
	first := c.wire.first
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok && len(first) > 3 && (first[0] == '4' || first[0] == '5') {
		r, bad := readReply(bufio.NewReader(io.MultiReader(bytes.NewReader(first), c.wire)), nil)
		if bad == nil && r.refusal() {
			r.conn, c.text = c, r.text
			return failure.Classify(r.cause(failure.StageBanner, c.host))
		}
	}
	return c.fail(failure.StageTLS, err)
}

package smtp

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	gomail "github.com/wneessen/go-mail/smtp"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// What a server may have computed here. RFC 7677 §4 asks for 4,096 iterations at
// least, and 100,000 take a tenth of a second; a server that names two thousand
// million would have a core for half an hour.
const (
	maxIterations = 100_000
	maxChallenge  = 4 << 10 // octets; those in use have some hundred
)

// A scram is SCRAM-SHA-256 that does a bounded amount of work, once. It falls back to
// no other mechanism: without TLS that would be one which shows the password, at the
// wish of the server.
type scram struct {
	gomail.Auth
	derived bool
}

func newScram(username, password string) gomail.Auth {
	return &scram{Auth: gomail.ScramSHA256Auth(username, password)}
}

// Next looks at the server's first message (RFC 5802 §5.1) before it is worked on.
func (s *scram) Next(challenge []byte, more bool) ([]byte, error) {
	if bytes.HasPrefix(challenge, []byte("r=")) {
		if err := s.afford(challenge); err != nil {
			return nil, err
		}
	}
	return s.Auth.Next(challenge, more)
}

// afford refuses what takes too long. What is no number at all the mechanism refuses.
func (s *scram) afford(challenge []byte) error {
	if s.derived {
		return fmt.Errorf("%w: it asks a second time", failure.ErrCostlyLogin)
	}
	s.derived = true
	for field := range bytes.SplitSeq(challenge, []byte(",")) {
		digits, ok := bytes.CutPrefix(field, []byte("i="))
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(string(digits), 10, 64)
		if n > maxIterations || errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%w: more than %d iterations", failure.ErrCostlyLogin, maxIterations)
		}
	}
	return nil
}

package sandbox

import (
	"strings"

	"github.com/emersion/go-smtp"
)

// trouble is what the local part of a recipient asks for: a reply to RCPT, or
// one to the final dot.
func (s *Server) trouble(recipient string) (atRcpt, afterDot error) {
	local, _, _ := strings.Cut(recipient, "@")
	switch local {
	case "refuse":
		return reply(550, 5, 1, 1, "<"+recipient+">: user unknown"), nil
	case "full":
		return reply(452, 4, 2, 2, "mailbox full"), nil
	case "defer":
		return reply(451, 4, 3, 0, "try again later"), nil
	case "greylist":
		if s.try(recipient, 1) {
			return reply(451, 4, 7, 1, "greylisted, try again later"), nil
		}
	case "spam":
		return nil, reply(554, 5, 7, 1, "the content was classified as spam")
	}
	if n, ok := strings.CutPrefix(local, "defer-"); ok && len(n) == 1 && "1" <= n && n <= "9" {
		if s.try(recipient, int(n[0]-'0')) {
			return reply(451, 4, 3, 0, "temporarily unavailable"), nil
		}
	}
	return nil, nil
}

// try counts the attempts at a recipient: true for the first n, then false once,
// and so on from the start.
func (s *Server) try(recipient string, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[recipient]++
	if s.tries[recipient] <= n {
		return true
	}
	delete(s.tries, recipient)
	return false
}

func reply(code, class, subject, detail int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text}
}

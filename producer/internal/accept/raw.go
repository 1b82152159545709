package accept

import (
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/rawmail"
)

// readRaw takes from a whole message what the way of a mail needs: who sends, who gets it
// unless the message says so beside it, and what its record keeps. It answers with the
// Message-ID, empty if there is none, or with what is wrong.
func readRaw(m *rohrpost.Message) (messageID string, problem *rohrpost.FieldError) {
	info, err := rawmail.Parse(m.Raw)
	if err != nil {
		return "", &rohrpost.FieldError{Field: "raw", Problem: strings.TrimPrefix(err.Error(), rawmail.ErrMessage.Error()+": ")}
	}
	m.From, m.Subject = info.From, info.Subject
	if len(m.To)+len(m.Cc)+len(m.Bcc) == 0 {
		m.To, m.Cc, m.Bcc = info.To, info.Cc, info.Bcc
	}
	switch n := len(m.To) + len(m.Cc) + len(m.Bcc); {
	case n == 0:
		return "", &rohrpost.FieldError{Field: "to", Problem: "no recipients"}
	case n > rohrpost.MaxRecipients:
		return "", &rohrpost.FieldError{Field: "to", Problem: fmt.Sprintf("%d recipients, at most %d", n, rohrpost.MaxRecipients)}
	}
	return info.MessageID, nil
}

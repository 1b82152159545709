package apitest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"
)

// A Mail is what a server took.
type Mail struct {
	Mailbox     string   // whose: an address, or "me"
	To, Cc, Bcc []string // addresses, as the header has them
	Raw         []byte   // the whole RFC 5322 message
}

// Recipients are all who get the mail, sorted, each once.
func (m Mail) Recipients() []string {
	all := slices.Concat(m.To, m.Cc, m.Bcc)
	slices.Sort(all)
	return slices.Compact(all)
}

// Graph is a server for package graph.
func Graph(tb testing.TB, o Options) *Server {
	tb.Helper()
	return start(tb, o, protocol{
		path:        "POST /v1.0/users/{mailbox}/sendMail",
		base:        "/v1.0",
		contentType: "text/plain",
		maxRequest:  4 << 20,
		decode: func(b []byte) ([]byte, *Answer) {
			raw, err := base64.StdEncoding.Strict().DecodeString(string(b))
			if err != nil {
				a := GraphError(http.StatusBadRequest, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
				return nil, &a
			}
			return raw, nil
		},
		taken:    Reply(http.StatusAccepted, "").With("Request-Id", "6a3b8c5e-0c1f-4b7e-9f57-4f2d0e6f0b11"),
		refused:  GraphError(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
		invalid:  GraphError(http.StatusBadRequest, "ErrorInvalidRecipients", "At least one recipient is not valid."),
		tooLarge: GraphError(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is too large."),
	})
}

// Gmail is a server for package gmail.
func Gmail(tb testing.TB, o Options) *Server {
	tb.Helper()
	return start(tb, o, protocol{
		path:        "POST /upload/gmail/v1/users/{mailbox}/messages/send",
		contentType: "message/rfc822",
		maxRequest:  35 << 20,
		decode:      func(b []byte) ([]byte, *Answer) { return b, nil },
		taken:       Reply(http.StatusOK, `{"id":"18c0ffee18c0ffee","threadId":"18c0ffee18c0ffee","labelIds":["SENT"]}`),
		refused:     GmailError(http.StatusUnauthorized, "authError", "Invalid Credentials", "UNAUTHENTICATED"),
		invalid:     GmailError(http.StatusBadRequest, "invalidArgument", "Recipient address required", "INVALID_ARGUMENT"),
		tooLarge:    GmailError(http.StatusRequestEntityTooLarge, "uploadTooLarge", "Request Entity Too Large", ""),
	})
}

// Parse takes a mail apart.
func Parse(raw []byte) (Mail, error) {
	m := Mail{Raw: raw}
	header, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return Mail{}, fmt.Errorf("apitest: header: %w", err)
	}
	for name, list := range map[string]*[]string{"To": &m.To, "Cc": &m.Cc, "Bcc": &m.Bcc} {
		for _, value := range header.Values(name) {
			parsed, err := mail.ParseAddressList(value)
			if err != nil {
				return Mail{}, fmt.Errorf("apitest: %s: %w", name, err)
			}
			for _, a := range parsed {
				*list = append(*list, a.Address)
			}
		}
	}
	return m, nil
}

// open takes a request's mail apart.
func (s *Server) open(r *http.Request, body []byte) (Mail, *Answer) {
	raw, refusal := s.protocol.decode(body)
	if refusal != nil {
		return Mail{}, refusal
	}
	m, err := Parse(raw)
	if err != nil || len(m.Recipients()) == 0 {
		return Mail{}, &s.protocol.invalid
	}
	m.Mailbox = r.PathValue("mailbox")
	return m, nil
}

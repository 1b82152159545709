package gmail

import (
	"encoding/json"
	"net/http"

	"github.com/rohrpost/rohrpost/internal/transport/api"
)

// What package api has for every interface.
type (
	// Options of a Transport. The zero value is a usable one.
	Options = api.Options
	// A Mailbox sends. Its Address is the account that the token is for: the
	// request says "me". Without a BaseURL it is https://gmail.googleapis.com.
	Mailbox = api.Mailbox
	// A Transport sends mails.
	Transport = api.Transport
)

const (
	maxMail  = 35 << 20 // octets
	maxCodes = 8        // of an answer that are read
)

// New checks the options. It connects to nobody.
func New(o Options) (*Transport, error) {
	return api.New(api.Service{
		Name:        "Gmail API",
		BaseURL:     "https://gmail.googleapis.com",
		Path:        func(string) string { return "/upload/gmail/v1/users/me/messages/send?uploadType=media" },
		ContentType: "message/rfc822",
		MaxMail:     maxMail,
		Limit:       "35 MB",
		Encode:      func(header, body []byte) [][]byte { return [][]byte{header, body} },
		Receipt:     messageID,
		Explain:     explain,
	}, o)
}

// messageID is Gmail's own, by which the mail is found in "Sent".
func messageID(_ http.Header, answer []byte) string {
	var body struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(answer, &body) != nil || body.ID == "" {
		return ""
	}
	return "id " + body.ID
}

// explain reads the reasons, then the status (google.rpc.Code): the reason of an
// older error says more than the status, and the other way there is none.
func explain(_ http.Header, answer []byte) api.Problem {
	type reason struct {
		Reason string `json:"reason"`
	}
	var body struct {
		Error struct {
			Message string   `json:"message"`
			Status  string   `json:"status"`
			Errors  []reason `json:"errors"`
			Details []reason `json:"details"`
		} `json:"error"`
	}
	_ = json.Unmarshal(answer, &body) // what is no error of Google has no code
	e := &body.Error
	var p api.Problem
	for _, r := range append(append(e.Errors, e.Details...), reason{e.Status}) {
		if r.Reason != "" && len(p.Codes) < maxCodes {
			p.Codes = append(p.Codes, r.Reason)
		}
	}
	if len(p.Codes) > 0 {
		p.Text = p.Codes[0] + ": "
	}
	p.Text += e.Message
	return p
}

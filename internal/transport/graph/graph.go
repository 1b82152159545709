package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/rohrpost/rohrpost/internal/transport/api"
)

// What package api has for every interface.
type (
	// Options of a Transport. The zero value is a usable one.
	Options = api.Options
	// A Mailbox sends. Without a BaseURL it is in Microsoft's worldwide cloud; the
	// one of a national cloud ends in the version, https://graph.microsoft.us/v1.0.
	Mailbox = api.Mailbox
	// A Transport sends mails.
	Transport = api.Transport
)

const (
	maxRequest = 4 << 20 // octets
	maxCodes   = 8       // of nested errors that are read
)

// New checks the options. It connects to nobody.
func New(o Options) (*Transport, error) {
	return api.New(api.Service{
		Name:        "Microsoft Graph",
		BaseURL:     "https://graph.microsoft.com/v1.0",
		Path:        func(address string) string { return "/users/" + url.PathEscape(address) + "/sendMail" },
		ContentType: "text/plain",
		MaxMail:     maxRequest / 4 * 3,
		Limit:       "4 MB a request, in base64",
		Encode:      encode,
		Receipt:     requestID,
		Explain:     explain,
	}, o)
}

func encode(header, body []byte) [][]byte {
	var b bytes.Buffer
	b.Grow(base64.StdEncoding.EncodedLen(len(header) + len(body)))
	w := base64.NewEncoder(base64.StdEncoding, &b)
	for _, part := range [...][]byte{header, body} {
		_, _ = w.Write(part) // a buffer takes everything
	}
	_ = w.Close()
	return [][]byte{b.Bytes()}
}

// requestID is what Microsoft's support asks for.
func requestID(h http.Header, _ []byte) string {
	if id := h.Get("Request-Id"); id != "" {
		return "request-id " + id
	}
	return ""
}

// An innerError is an error of Graph; the innermost is the most special
// (Microsoft Graph error responses and resource types).
type innerError struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Inner   *innerError `json:"innererror"` // also spelled innerError
}

func explain(h http.Header, answer []byte) api.Problem {
	var body struct {
		Error *innerError `json:"error"`
	}
	_ = json.Unmarshal(answer, &body) // what is no error of Graph has no code
	var p api.Problem
	for e := body.Error; e != nil && len(p.Codes) < maxCodes; e = e.Inner {
		if e.Code != "" {
			p.Codes = slices.Insert(p.Codes, 0, e.Code)
		}
	}
	if e := body.Error; e != nil && e.Code != "" {
		p.Text = e.Code + ": " + e.Message
		if id := requestID(h, nil); id != "" {
			p.Text += " / " + id
		}
	}
	return p
}

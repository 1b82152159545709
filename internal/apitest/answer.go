package apitest

import (
	"encoding/json"
	"net/http"
)

// An Answer is what the server does with a request. The zero value is the usual
// answer.
type Answer struct {
	status int
	body   string
	header http.Header
	early  bool
	cut    bool
	silent bool
	take   bool
	do     func()
}

// Reply answers with a status and a body. Unlike the usual answer it does not
// look at the token, and keeps the mail only with Taking.
func Reply(status int, body string) Answer { return Answer{status: status, body: body} }

// GraphError is an error of Microsoft Graph; inner are the codes nested in it,
// from the outside in.
func GraphError(status int, code, message string, inner ...string) Answer {
	type nested struct {
		Code    string  `json:"code,omitempty"`
		Message string  `json:"message,omitempty"`
		Inner   *nested `json:"innerError,omitempty"`
	}
	outer := &nested{Code: code, Message: message}
	at := outer
	for _, code := range inner {
		at.Inner = &nested{Code: code}
		at = at.Inner
	}
	return Reply(status, marshal(map[string]any{"error": outer}))
}

// GmailError is an error of the Gmail API. grpc is the status, "" leaves it out.
func GmailError(status int, reason, message, grpc string) Answer {
	e := map[string]any{"code": status, "message": message}
	if reason != "" {
		e["errors"] = []map[string]string{{"domain": "global", "reason": reason, "message": message}}
	}
	if grpc != "" {
		e["status"] = grpc
	}
	return Reply(status, marshal(map[string]any{"error": e}))
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings only
	}
	return string(b)
}

// Cut breaks the request off instead of answering.
func Cut() Answer { return Answer{cut: true} }

// Silence never answers.
func Silence() Answer { return Answer{silent: true} }

// With adds a header field.
func (a Answer) With(name, value string) Answer {
	a.header = a.header.Clone()
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(name, value)
	return a
}

// Early does it before the request's body is read.
func (a Answer) Early() Answer { a.early = true; return a }

// ThenCut breaks off after the status and half of the body.
func (a Answer) ThenCut() Answer { a.cut = true; return a }

// Taking keeps the mail, whatever the client is told.
func (a Answer) Taking() Answer { a.take = true; return a }

// Doing calls f when the answer is due (the mail has been read, unless it is
// Early), without any lock held.
func (a Answer) Doing(f func()) Answer { a.do = f; return a }

// usual reports that the answer is left to the server.
func (a Answer) usual() bool { return a.status == 0 && !a.cut && !a.silent }

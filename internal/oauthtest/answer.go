package oauthtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// An Answer is what the token endpoint does. The zero value is its usual answer.
type Answer struct {
	status int
	header http.Header
	body   string
	cut    bool
	silent bool
	issue  bool
	do     func()
}

// Microsoft is an error as Entra ID writes it, with its AADSTS numbers.
func Microsoft(status int, code, description string, numbers ...int) Answer {
	if len(numbers) > 0 {
		description = fmt.Sprintf("AADSTS%d: %s Trace ID: %s", numbers[0], description, traceID)
	}
	return asJSON(status, map[string]any{
		"error": code, "error_description": description, "error_codes": numbers,
		"timestamp": "2026-05-01 10:00:00Z", "trace_id": traceID, "correlation_id": "9e1a4a3c-0000-4000-8000-000000000002",
		"error_uri": "https://login.microsoftonline.com/error?code=" + fmt.Sprint(numbers),
	})
}

const traceID = "9e1a4a3c-0000-4000-8000-000000000001"

// Google is an error as Google writes it; subtype may be empty.
func Google(status int, code, description, subtype string) Answer {
	body := map[string]any{"error": code, "error_description": description}
	if subtype != "" {
		body["error_subtype"] = subtype
	}
	return asJSON(status, body)
}

func asJSON(status int, body map[string]any) Answer {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return Answer{status: status, body: string(b), header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}
}

// Raw answers with this body, without a content type of OAuth.
func Raw(status int, body string) Answer {
	return Answer{status: status, body: body, header: http.Header{"Content-Type": {"text/html"}}}
}

// JSON answers with this body as application/json.
func JSON(status int, body string) Answer {
	return Answer{status: status, body: body, header: http.Header{"Content-Type": {"application/json"}}}
}

// Redirect sends the client elsewhere with its request.
func Redirect(location string) Answer {
	return Raw(http.StatusTemporaryRedirect, "").With("Location", location)
}

// Cut closes the connection.
func Cut() Answer { return Answer{cut: true} }

// Silence never answers.
func Silence() Answer { return Answer{silent: true} }

// With adds a header field.
func (a Answer) With(key, value string) Answer {
	a.header = maps.Clone(a.header)
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(key, value)
	return a
}

// Issuing issues the token, and rotates the refresh token, whatever the client
// is told.
func (a Answer) Issuing() Answer { a.issue = true; return a }

// Doing calls f before the answer is given and before anything is issued.
func (a Answer) Doing(f func()) Answer { a.do = f; return a }

func (a Answer) usual() bool { return a.status == 0 && !a.cut && !a.silent }

// On gives this answer from now on. The zero Answer is the usual one again.
func (s *Server) On(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = a
}

// Once gives these answers to the next requests, one each, before what On says.
func (s *Server) Once(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once = append(s.once, answers...)
}

func (s *Server) pick() Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.once) == 0 {
		return s.always
	}
	a := s.once[0]
	s.once = slices.Delete(s.once, 0, 1)
	return a
}

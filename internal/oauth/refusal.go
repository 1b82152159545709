package oauth

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A refusal is the body of an error answer (RFC 6749 §5.2) with what Microsoft
// (error_codes, suberror, trace_id, correlation_id) and Google (error_subtype)
// add.
type refusal struct {
	Error       string        `json:"error"`
	Description string        `json:"error_description"`
	Codes       []json.Number `json:"error_codes"`
	Suberror    string        `json:"suberror"`
	Subtype     string        `json:"error_subtype"`
	Trace       string        `json:"trace_id"`
	Correlation string        `json:"correlation_id"`
}

// refusedBy is the cause of a refusal. The class comes from error; what refines
// it, AADSTS numbers and subtypes, goes before the description, so that it is in
// the diagnostic however long that is.
func refusedBy(e *oauth2.RetrieveError) failure.Cause {
	var r refusal
	lines := []string{http.StatusText(e.Response.StatusCode)}
	if json.Unmarshal(e.Body, &r) == nil && r.Error != "" {
		lines = r.lines()
	}
	return failure.Cause{
		Stage:      failure.StageToken,
		Reply:      failure.Reply{Code: e.Response.StatusCode, Lines: lines},
		APICode:    r.Error,
		RetryAfter: retryAfter(e.Response.Header.Get("Retry-After")),
	}
}

func (r refusal) lines() []string {
	lines := []string{r.Error}
	for _, code := range r.Codes {
		if aadsts := "AADSTS" + code.String(); !strings.Contains(r.Description, aadsts) {
			lines = append(lines, aadsts)
		}
	}
	for _, s := range []string{r.Suberror, r.Subtype, r.Description} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	if r.Trace != "" && !strings.Contains(r.Description, r.Trace) {
		lines = append(lines, "Trace ID: "+r.Trace)
	}
	if r.Correlation != "" && !strings.Contains(r.Description, r.Correlation) {
		lines = append(lines, "Correlation ID: "+r.Correlation)
	}
	return lines
}

// retryAfter reads the header (RFC 9110 §10.2.3); 0: there is none.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(0, seconds), 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, time.Until(at)), 24*time.Hour)
	}
	return 0
}

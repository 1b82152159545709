package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/conceal"
	"github.com/rohrpost/rohrpost/internal/transport"
)

const (
	maxAnswer     = 64 << 10 // octets of an answer that are read; real ones have a few hundred
	maxRetryAfter = 24 * time.Hour
)

// A request is a mail on its way to a URL. It can be posted more than once.
type request struct {
	url     *url.URL
	content [][]byte
	refused []secret.String // access tokens that the server has heard
}

// post sends the request once. net/http does not repeat it either: the body has
// no GetBody.
func (t *Transport) post(ctx context.Context, r *request, token secret.String) transport.Verdict {
	ctx, cancel := context.WithTimeout(ctx, t.options.Timeout)
	defer cancel()
	p, secrets := newProgress(r.content), conceal.New(append(r.refused, token)...)
	req := (&http.Request{
		Method: http.MethodPost, URL: r.url, Body: p, ContentLength: int64(p.left),
		Header: http.Header{
			"Authorization": {"Bearer " + token.Reveal()},
			"Content-Type":  {t.service.ContentType},
			"User-Agent":    {"rohrpost"},
		},
	}).WithContext(p.watch(ctx))
	resp, err := t.client.Do(req)
	if err != nil {
		return transport.Verdict{Failure: p.failure(err, r.url.Hostname(), secrets)}
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status has said it
	if resp.StatusCode/100 == 2 {
		text := secrets.Text(t.service.Receipt(resp.Header, answer))
		return transport.Verdict{Code: resp.StatusCode, Text: failure.Scrub(text)}
	}
	return transport.Verdict{Failure: t.refusal(resp, answer, secrets)}
}

// refusal is judged by the most special code that a rule knows, else by the status.
func (t *Transport) refusal(resp *http.Response, answer []byte, secrets *conceal.Set) *failure.Failure {
	problem, now := t.service.Explain(resp.Header, answer), t.options.Now()
	text := problem.Text
	if text == "" {
		text = http.StatusText(resp.StatusCode)
	}
	cause := failure.Cause{
		Stage: failure.StageAPI, Reply: failure.Reply{Code: resp.StatusCode, Lines: []string{text}}, Conceal: secrets.Text,
		RetryAfter: retryAfter(resp.Header, now), Host: resp.Request.URL.Hostname(), Now: now,
	}
	byStatus := failure.Classify(cause)
	if resp.StatusCode == http.StatusGatewayTimeout {
		return byStatus // uncertain: who says this has not heard from the mail server
	}
	for _, code := range problem.Codes {
		cause.APICode = code
		if f := failure.Classify(cause); f.Rule != byStatus.Rule {
			return f
		}
	}
	return byStatus
}

// retryAfter is RFC 9110 §10.2.3: seconds or a date; 0: none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(0, n), int(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}

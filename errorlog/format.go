package errorlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A Format is a form in which entries are written.
type Format string

// The formats.
const (
	JSONL Format = "jsonl" // JSON lines, for programs
	CSV   Format = "csv"   // RFC 4180 with a byte order mark, for spreadsheets; in German separated by semicolons
	Text  Format = "text"  // for people
)

// ErrFormat says that there is no such format.
var ErrFormat = errors.New("errorlog: unknown format: use jsonl, csv or text")

// MediaType is the Content-Type of a download.
func (f Format) MediaType() string {
	switch f {
	case JSONL:
		return "application/x-ndjson"
	case CSV:
		return "text/csv; charset=utf-8"
	}
	return "text/plain; charset=utf-8"
}

// Extension is the ending of a file's name: ".jsonl", ".csv" or ".txt".
func (f Format) Extension() string {
	if f == Text {
		return ".txt"
	}
	return "." + string(f)
}

// An encoder writes the parts of an exported file.
type encoder interface {
	header(*bytes.Buffer, Header) error
	entry(*bytes.Buffer, Entry) error
	footer(b *bytes.Buffer, missing int64) error // for entries that left in the meantime
}

// encoder for lang: German for "de" (or "de-AT" …), else English.
func (f Format) encoder(lang string) (encoder, error) {
	w := wordsIn(lang)
	switch f {
	case JSONL:
		return jsonlFile{w}, nil
	case CSV:
		return csvFile{w}, nil
	case Text:
		return textFile{w}, nil
	}
	return nil, fmt.Errorf("%w, not %q", ErrFormat, string(f))
}

// Write writes one entry, without the header of a file; lang is "en" or "de" and
// picks the hint and the labels.
func Write(w io.Writer, e Entry, format Format, lang string) error {
	enc, err := format.encoder(lang)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := enc.entry(&b, e); err != nil {
		return fmt.Errorf("errorlog: write: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("errorlog: write: %w", err)
	}
	return nil
}

// timeLayout is RFC 3339 with milliseconds: an entry has no more.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(timeLayout)
}

// Hint is what to do about the failure, as it is true for this entry: a mail that has
// failed for good is not tried again. German for "de" (or "de-AT" …), else English.
func (e Entry) Hint(lang string) string {
	return failure.Moment{Final: e.Final, Tried: e.Tried}.Hint(e.Rule, lang)
}

func (e Entry) hint(w *words) string { return e.Hint(w.lang) }

// ConcernedRecipients joins the recipients of the entry, as "a@example.org, b@example.org
// … and 980 more"; lang is as for [Write].
func (e Entry) ConcernedRecipients(lang string) string { return wordsIn(lang).recipientsOf(e, ", ") }

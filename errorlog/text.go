package errorlog

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	label "github.com/rohrpost/rohrpost/internal/words"
)

// textFile writes a block of labelled lines an entry: what to do first, then what
// happened, then the technical details. What is unknown has no line.
type textFile struct{ words *words }

const divider = "────────────────────────────────────────────────────────────────────────────────"

func (t textFile) header(b *bytes.Buffer, h Header) error {
	b.WriteString(t.words.title + "\n\n")
	writeLines(b, h.lines(t.words))
	b.WriteByte('\n')
	return nil
}

func (t textFile) entry(b *bytes.Buffer, e Entry) error {
	w := t.words
	b.WriteString(divider + "\n")
	b.WriteString(flat(spaced(formatTime(e.Time), w.tenantName(e.Tenant), w.of(label.Category, e.Category))) + "\n\n")
	next := formatTime(e.NextAttempt)
	if e.Final {
		next = w.never
	}
	writeLines(b, []line{
		{w.hint, e.hint(w)},
		{w.next, next},
		{w.delayed, delay(e.Delayed)},
		{w.recipients, w.recipientsOf(e, " ")},
		{w.diagnostic, spaced(number(e.Code), e.Enhanced, e.Diagnostic)},
		{w.user, e.User},
		{w.account, w.accountOf(e)},
		{w.host, e.Host},
		{w.stage, w.of(label.Stage, e.Stage)},
		{w.class, w.of(label.Class, e.Class)},
		{w.category, e.Category}, // as commands and filters take it
		{w.attempt, number(e.Attempt)},
		{w.job, e.JobID},
		{w.messageID, e.MessageID},
		{w.metadata, pairs(e.Metadata)},
	})
	b.WriteByte('\n')
	return nil
}

func (t textFile) footer(b *bytes.Buffer, missing int64) error {
	b.WriteString(divider + "\n" + t.words.missing(missing) + "\n")
	return nil
}

// labelWidth is that of the longest label and two more.
const labelWidth = 18

func writeLines(b *bytes.Buffer, lines []line) {
	for _, l := range lines {
		if value := flat(l.value); value != "" {
			b.WriteString(l.label + strings.Repeat(" ", max(labelWidth-utf8.RuneCountInString(l.label), 1)) + value + "\n")
		}
	}
}

// spaced joins what there is.
func spaced(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func parenthesized(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// delay is "15m" or "1h"; 0 is empty.
func delay(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/time.Minute)) + "m"
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func pairs(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, " · ")
}

package errorlog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// csvFile writes comment lines, a row of column names and a row an entry. Column
// names are the keys of the JSON form in every language: programs read them.
type csvFile struct{ words *words }

func columns() []string {
	return []string{
		"time", "tenant", "user", "job_id", "message_id", "attempt", "account", "level", "host", "stage",
		"code", "enhanced", "diagnostic", "category", "class", "recipients", "recipients_more", "next_attempt", "final", "delayed", "metadata", "hint",
	}
}

// byteOrderMark makes spreadsheets read UTF-8.
const byteOrderMark = "\uFEFF"

func (c csvFile) header(b *bytes.Buffer, h Header) error {
	b.WriteString(byteOrderMark)
	writeComment(b, c.words.title)
	for _, l := range h.lines(c.words) {
		writeComment(b, l.label+": "+l.value)
	}
	return writeRow(b, columns())
}

func (c csvFile) entry(b *bytes.Buffer, e Entry) error {
	metadata := ""
	if len(e.Metadata) > 0 {
		text, err := json.Marshal(e.Metadata)
		if err != nil {
			return err
		}
		metadata = string(text)
	}
	code := ""
	if e.Code != 0 {
		code = strconv.Itoa(e.Code)
	}
	return writeRow(b, []string{
		formatTime(e.Time), e.Tenant, e.User, e.JobID, e.MessageID, strconv.Itoa(e.Attempt), e.Account, e.Level, e.Host, string(e.Stage),
		code, e.Enhanced, e.Diagnostic, e.Category, string(e.Class), c.words.recipientsOf(e, " "), strconv.Itoa(e.MoreRecipients),
		formatTime(e.NextAttempt), strconv.FormatBool(e.Final), delay(e.Delayed), metadata, e.hint(c.words),
	})
}

func (c csvFile) footer(b *bytes.Buffer, missing int64) error {
	writeComment(b, c.words.missing(missing))
	return nil
}

// writeComment keeps the line in one cell, whichever separator a spreadsheet uses.
func writeComment(b *bytes.Buffer, s string) {
	b.WriteString("# " + strings.NewReplacer(", ", " ", ",", " ", ";", ".", `"`, "'").Replace(flat(s)) + "\r\n")
}

func writeRow(b *bytes.Buffer, cells []string) error {
	for i, cell := range cells {
		cells[i] = inertCell(cell)
	}
	w := csv.NewWriter(b)
	w.UseCRLF = true // RFC 4180 §2
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// formula is the beginning of a cell that a spreadsheet computes. German ones
// separate by semicolons, and know no quotes inside what they take for a cell.
var formula = regexp.MustCompile(`(^|;)(["'\s]*[=+\-@])`)

// inertCell is a value on one line that no spreadsheet takes for a formula.
func inertCell(s string) string {
	return formula.ReplaceAllString(flat(s), "$1'$2")
}

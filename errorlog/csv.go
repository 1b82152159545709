package errorlog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strconv"
)

// csvFile writes a row of column names and a row an entry, and nothing else: a
// spreadsheet would take the header of the other formats for rows. Column names are the
// keys of the JSON form in every language: programs read them. Cells are separated by
// commas, in German by semicolons: a German spreadsheet puts a row with commas into one
// cell.
type csvFile struct{ words *words }

func columns() []string {
	return []string{
		"time", "tenant", "user", "job_id", "message_id", "attempt", "account", "level", "host", "stage",
		"code", "enhanced", "diagnostic", "category", "class", "recipients", "recipients_more", "next_attempt", "final", "delayed", "metadata", "hint",
	}
}

// byteOrderMark makes spreadsheets read UTF-8.
const byteOrderMark = "\uFEFF"

func (c csvFile) header(b *bytes.Buffer, _ Header) error {
	b.WriteString(byteOrderMark)
	return c.row(b, columns())
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
	return c.row(b, []string{
		formatTime(e.Time), e.Tenant, e.User, e.JobID, e.MessageID, strconv.Itoa(e.Attempt), e.Account, e.Level, e.Host, e.Stage,
		code, e.Enhanced, e.Diagnostic, e.Category, e.Class, c.words.recipientsOf(e, " "), strconv.Itoa(e.MoreRecipients),
		formatTime(e.NextAttempt), strconv.FormatBool(e.Final), delay(e.Delayed), metadata, e.hint(c.words),
	})
}

// footer is none: Summary tells how many entries are missing.
func (c csvFile) footer(*bytes.Buffer, int64) error { return nil }

func (c csvFile) row(b *bytes.Buffer, cells []string) error {
	for i, cell := range cells {
		cells[i] = inertCell(cell, c.words.separator)
	}
	w := csv.NewWriter(b)
	w.Comma = rune(c.words.separator[0])
	w.UseCRLF = true // RFC 4180 §2
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

var (
	// What begins a cell that a spreadsheet computes. One of the other language ends a
	// cell at its own separator, and knows no quotes inside what it takes for a cell.
	formulaInEnglish = regexp.MustCompile(`(^|;)(["'\s]*[=+\-@])`)
	formulaInGerman  = regexp.MustCompile(`(^|,)(["'\s]*[=+\-@])`)
)

// inertCell is a value on one line that no spreadsheet takes for a formula, in a file
// with this separator.
func inertCell(s, separator string) string {
	formula := formulaInEnglish
	if separator == ";" {
		formula = formulaInGerman
	}
	return formula.ReplaceAllString(flat(s), "$1'$2")
}

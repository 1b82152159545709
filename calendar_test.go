package rohrpost_test

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// TestCalendar has every refusal of a calendar, beside what is taken.
func TestCalendar(t *testing.T) {
	t.Parallel()
	without := func(line string) string {
		if !strings.Contains(invitation, line) {
			t.Fatalf("the invitation has no %q", line)
		}
		return strings.Replace(invitation, line, "", 1)
	}
	with := func(old, text string) string { return strings.Replace(invitation, old, text, 1) }
	for name, tt := range map[string]struct {
		method, content string
		want            string // in the error; "": taken
	}{
		"an invitation":            {"REQUEST", invitation, ""},
		"LF line ends":             {"REQUEST", strings.ReplaceAll(invitation, "\r\n", "\n"), ""},
		"small letters":            {"REQUEST", strings.ToLower(invitation), ""},
		"folded":                   {"REQUEST", with("METHOD:REQUEST", "MET\r\n HOD:REQ\r\n\tUEST"), ""},
		"a parameter with a colon": {"REQUEST", with("ORGANIZER:", `ORGANIZER;CN="Max: Muster":`), ""},
		"a time zone and an alarm": {"REQUEST", with("BEGIN:VEVENT", "BEGIN:VTIMEZONE\r\nTZID:Europe/Vienna\r\nBEGIN:STANDARD\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nBEGIN:VALARM\r\nUID:x\r\nEND:VALARM"), ""},
		"umlauts":                  {"REQUEST", with("UID", "SUMMARY:Übergabe\r\nUID"), ""},
		"no method":                {"", invitation, "calendar.method"},
		"a method in small":        {"request", invitation, "calendar.method"},
		"another method":           {"CANCEL", invitation, "its METHOD is"},
		"content has no method":    {"REQUEST", without("METHOD:REQUEST\r\n"), "has 0 METHOD"},
		"content has two":          {"REQUEST", with("METHOD:REQUEST", "METHOD:REQUEST\r\nMETHOD:CANCEL"), "has 2 METHOD"},
		"a method in the event":    {"REQUEST", with("METHOD:REQUEST\r\nBEGIN:VEVENT", "BEGIN:VEVENT\r\nMETHOD:REQUEST"), "has 0 METHOD"},
		"no version":               {"REQUEST", without("VERSION:2.0\r\n"), "VERSION"},
		"vCalendar 1.0":            {"REQUEST", with("VERSION:2.0", "VERSION:1.0"), "VERSION"},
		"no PRODID":                {"REQUEST", without("PRODID:-//acme//rohrpost//EN\r\n"), "PRODID"},
		"no UID":                   {"REQUEST", without("UID:4711@acme.example\r\n"), "UID"},
		"no DTSTAMP":               {"REQUEST", without("DTSTAMP:20260301T080000Z\r\n"), "DTSTAMP"},
		"no DTSTART":               {"REQUEST", without("DTSTART:20260310T080000Z\r\n"), "DTSTART"},
		"no organizer":             {"REQUEST", without("ORGANIZER:mailto:max@acme.example\r\n"), "ORGANIZER"},
		"published by nobody":      {"PUBLISH", strings.Replace(without("ORGANIZER:mailto:max@acme.example\r\n"), "REQUEST", "PUBLISH", 1), ""},
		"no event":                 {"REQUEST", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nEND:VCALENDAR\n", "no VEVENT"},
		"empty":                    {"REQUEST", "", "no VCALENDAR"},
		"a mail's text":            {"REQUEST", "Guten Tag,\n\nanbei", "line 1 has no name"},
		"something before":         {"REQUEST", "X:y\n" + invitation, "line 1 is outside"},
		"something after":          {"REQUEST", invitation + "X:y\n", "is outside"},
		"two calendars":            {"REQUEST", invitation + invitation, "is outside"},
		"cut":                      {"REQUEST", without("END:VCALENDAR\r\n"), `"VCALENDAR" does not end`},
		"ends crosswise":           {"REQUEST", with("END:VEVENT", "END:VTODO"), `ends "VTODO" within "VEVENT"`},
		"very deep":                {"REQUEST", "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:X\n", 20), "components deep"},
		"too long":                 {"REQUEST", strings.Repeat("x", 1<<20+1), "at most 1048576"},
		"NUL":                      {"REQUEST", with("UID", "X:\x00\r\nUID"), "control character"},
		"no UTF-8":                 {"REQUEST", with("UID", "X:\xff\r\nUID"), "invalid UTF-8"},
	} {
		m := validMessage()
		m.Calendar = &rohrpost.Calendar{Method: tt.method, Content: tt.content}
		switch err := m.Validate(validateAt); {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	alone := rohrpost.Message{To: validMessage().To, Calendar: &rohrpost.Calendar{Method: "REQUEST", Content: invitation}}
	if err := alone.Validate(validateAt); err != nil {
		t.Errorf("without another body: %v", err)
	}
}

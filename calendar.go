package rohrpost

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Calendar is an invitation, or what follows one: the mail has it among its
// alternatives, where calendar programs look for it, and as the file invite.ics, for
// people whose mail program shows no button (RFC 6047 §2.4).
type Calendar struct {
	// Method is what it asks for: REQUEST, CANCEL, REPLY, PUBLISH, ADD, REFRESH,
	// COUNTER or DECLINECOUNTER (RFC 5546 §1.4).
	Method string `json:"method"`
	// Content is one VCALENDAR object whose METHOD is the same, at most 1 MiB.
	Content string `json:"content"`
}

// maxCalendar is far beyond what a mail program reads, in bytes.
const maxCalendar = 1 << 20

func (v *validator) calendar(c *Calendar) {
	if c == nil {
		return
	}
	if methods := []string{"PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"}; !slices.Contains(methods, c.Method) {
		v.fail("calendar.method", "unknown value %.60q, known are %s", c.Method, strings.Join(methods, ", "))
	}
	const field = "calendar.content"
	switch {
	case len(c.Content) > maxCalendar:
		v.fail(field, "%d bytes, at most %d", len(c.Content), maxCalendar)
		return
	case !utf8.ValidString(c.Content):
		v.fail(field, "invalid UTF-8")
		return
	case strings.ContainsFunc(c.Content, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\r\n\t", r) }):
		v.fail(field, "contains a control character")
		return
	}
	read, err := readCalendar(c.Content)
	if err != nil {
		v.fail(field, "%v", err)
		return
	}
	v.fits(read, c.Method)
}

// calendarContent is what Validate wants to know of an iCalendar object.
type calendarContent struct {
	properties map[string][]string // of the VCALENDAR itself
	components []calendarComponent // VEVENT, VTODO, VJOURNAL, VFREEBUSY
}

type calendarComponent struct {
	name       string
	properties map[string]int
}

// readCalendar reads content lines (RFC 5545 §3.1), unfolded, and what is in what.
func readCalendar(content string) (*calendarContent, error) {
	c := &calendarContent{properties: map[string][]string{}}
	var open []string
	for number, line := range unfold(content) {
		name, value, found := contentLine(line)
		switch {
		case !found:
			return nil, fmt.Errorf("line %d has no name and colon", number)
		case len(open) == 0 && (name != "BEGIN" || value != "VCALENDAR" || c.components != nil || len(c.properties) > 0):
			return nil, fmt.Errorf("line %d is outside of the one BEGIN:VCALENDAR … END:VCALENDAR", number)
		case name == "BEGIN":
			if len(open) == 1 {
				c.components = append(c.components, calendarComponent{value, map[string]int{}})
			}
			open = append(open, value)
		case name == "END":
			if value != open[len(open)-1] {
				return nil, fmt.Errorf("line %d ends %.60q within %.60q", number, value, open[len(open)-1])
			}
			open = open[:len(open)-1]
		case len(open) == 1:
			c.properties[name] = append(c.properties[name], value)
		case len(open) == 2:
			c.components[len(c.components)-1].properties[name]++
		}
		const deepest = 8
		if len(open) > deepest {
			return nil, fmt.Errorf("line %d is more than %d components deep", number, deepest)
		}
	}
	switch {
	case len(open) > 0:
		return nil, fmt.Errorf("%.60q does not end", open[len(open)-1])
	case c.components == nil && len(c.properties) == 0:
		return nil, errors.New("is no VCALENDAR object")
	}
	return c, nil
}

// unfold yields the numbers of lines and the lines, without those that are empty.
func unfold(content string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		var folded strings.Builder
		start, number := 0, 0
		for line := range strings.Lines(content) {
			number++
			line = strings.TrimRight(line, "\r\n")
			if rest, continued := cutFold(line); continued && start > 0 {
				folded.WriteString(rest)
				continue
			}
			if folded.Len() > 0 && !yield(start, folded.String()) {
				return
			}
			folded.Reset()
			folded.WriteString(line)
			start = number
		}
		if folded.Len() > 0 {
			yield(start, folded.String())
		}
	}
}

func cutFold(line string) (string, bool) {
	if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
		return line[1:], true
	}
	return line, false
}

// contentLine is the name, in capitals, and the value of a line; names of components
// and methods in capitals, too.
func contentLine(line string) (name, value string, found bool) {
	quoted := false
	end := strings.IndexFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ':' && !quoted
	})
	if end < 1 {
		return "", "", false
	}
	name, _, _ = strings.Cut(line[:end], ";")
	name, value = strings.ToUpper(name), strings.TrimSpace(line[end+1:])
	if name == "BEGIN" || name == "END" || name == "METHOD" {
		value = strings.ToUpper(value)
	}
	return name, value, name != ""
}

// fits names what makes mail programs show no invitation: what RFC 5545 §3.6 and RFC
// 5546 §3 demand and is not there.
func (v *validator) fits(c *calendarContent, method string) {
	const field = "calendar.content"
	switch methods := c.properties["METHOD"]; {
	case len(methods) != 1:
		v.fail(field, "has %d METHOD lines, not one", len(methods))
	case methods[0] != method:
		v.fail(field, "its METHOD is %.60q, not that of calendar.method", methods[0])
	}
	if version := strings.Join(c.properties["VERSION"], " "); version != "2.0" {
		v.fail(field, "its VERSION is %.60q, not 2.0", version)
	}
	if n := len(c.properties["PRODID"]); n != 1 {
		v.fail(field, "has %d PRODID lines, not one", n)
	}
	parts := 0
	for _, part := range c.components {
		switch part.name {
		case "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY":
		default:
			continue
		}
		parts++
		for _, name := range part.needs(method) {
			if n := part.properties[name]; n != 1 {
				v.fail(field, "its %s number %d has %d %s lines, not one", part.name, parts, n, name)
			}
		}
	}
	if parts == 0 {
		v.fail(field, "has no VEVENT, VTODO, VJOURNAL or VFREEBUSY")
	}
}

// needs are the properties that a component has once.
func (c *calendarComponent) needs(method string) []string {
	needed := []string{"UID", "DTSTAMP"}
	if method != "PUBLISH" && c.name != "VFREEBUSY" {
		needed = append(needed, "ORGANIZER")
	}
	if c.name == "VEVENT" && (method == "REQUEST" || method == "PUBLISH" || method == "ADD") {
		needed = append(needed, "DTSTART")
	}
	return needed
}

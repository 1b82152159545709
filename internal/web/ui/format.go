package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number is 1,268 or 1.268.
func Number(lang string, n int64) string {
	separator := ","
	if lang == "de" {
		separator = "."
	}
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteString(separator)
		}
		out.WriteRune(d)
	}
	return sign + out.String()
}

// Bytes is "1.5 MiB" or "1,5 MiB".
func Bytes(lang string, n int64) string {
	const unit = 1024
	if n < unit {
		return Number(lang, n) + " B"
	}
	value, prefix := float64(n), ""
	for _, p := range []string{"Ki", "Mi", "Gi", "Ti"} {
		if value /= unit; value < unit || p == "Ti" {
			prefix = p
			break
		}
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	if lang == "de" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text + " " + prefix + "B"
}

// Time is a moment with its date and zone.
func Time(lang string, zone *time.Location, t time.Time) string {
	if lang == "de" {
		return t.In(zone).Format("02.01.2006 15:04:05 MST")
	}
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}

// Moment is short: the time of today, else the date and the time.
func Moment(lang string, zone *time.Location, t, now time.Time) string {
	t, now = t.In(zone), now.In(zone)
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case lang == "de":
		return t.Format("02.01.2006 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// Span is "24 hours".
func Span(lang string, d time.Duration) string {
	units := []struct {
		unit   time.Duration
		en, de [2]string
	}{
		{24 * time.Hour, [2]string{"day", "days"}, [2]string{"Tag", "Tage"}},
		{time.Hour, [2]string{"hour", "hours"}, [2]string{"Stunde", "Stunden"}},
		{time.Minute, [2]string{"minute", "minutes"}, [2]string{"Minute", "Minuten"}},
		{time.Second, [2]string{"second", "seconds"}, [2]string{"Sekunde", "Sekunden"}},
	}
	for i, u := range units {
		if d < u.unit && i < len(units)-1 || i == 0 && d < 2*u.unit {
			continue
		}
		n := int64(d / u.unit)
		name := u.en
		if lang == "de" {
			name = u.de
		}
		form := name[1]
		if n == 1 {
			form = name[0]
		}
		return fmt.Sprintf("%s %s", Number(lang, n), form)
	}
	return ""
}

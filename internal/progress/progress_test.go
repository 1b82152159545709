package progress

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// screen is what a terminal of one row shows in the end, and the lines above it.
func screen(written string) string {
	var rows []string
	var row []rune
	at := 0
	for _, r := range written {
		switch r {
		case '\r':
			at = 0
		case '\n':
			rows, row, at = append(rows, strings.TrimRight(string(row), " ")), nil, 0
		default:
			if at == len(row) {
				row = append(row, ' ')
			}
			row[at] = r
			at++
		}
	}
	return strings.Join(append(rows, strings.TrimRight(string(row), " ")), "\n")
}

// TestLine writes over what was there, a few times a second, and leaves nothing.
func TestLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	at := time.Unix(0, 0)
	l := start(&out, usual, func() time.Time { return at })
	l.Show("too early")
	if out.Len() != 0 {
		t.Errorf("a command of a moment shows %q", out.String())
	}
	for n := range 100 { // two seconds
		at = at.Add(20 * time.Millisecond)
		l.Show("Prüfung: %d left", 1000-n)
	}
	if n := strings.Count(out.String(), "\r"); n < 6 || n > 8 {
		t.Errorf("written %d times in two seconds", n)
	}
	at = at.Add(time.Second)
	l.Show("ß")
	if got := screen(out.String()); got != "ß" {
		t.Errorf("it shows %q", got)
	}
	if _, err := l.Over(&out).Write([]byte("found\n")); err != nil {
		t.Fatal(err)
	}
	at = at.Add(time.Second)
	l.Show("more")
	l.Wipe()
	l.Wipe()
	if got := screen(out.String()); got != "found\n" {
		t.Errorf("it leaves %q", got)
	}
}

// TestNobodyLooks: without a terminal nothing is written, and a pipe is none.
func TestNobodyLooks(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := New(&out, 0)
	l.last = time.Time{}
	l.Show("x")
	l.Wipe()
	if out.Len() != 0 {
		t.Errorf("written: %q", out.String())
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	if Pace(w) != 0 || Pace(&out) != 0 {
		t.Error("a pipe or a buffer is a terminal")
	}
}

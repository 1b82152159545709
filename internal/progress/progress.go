// Package progress shows on a terminal how far a long command has come: one line of
// standard error, which is written over a few times a second and wiped at the end. Where
// nobody looks it does nothing.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// usual is how often the line is written. A command that takes less shows none.
const usual = 250 * time.Millisecond

// Pace is how often a line is to be written to a stream: 0 if it is no terminal.
func Pace(stream any) time.Duration {
	if f, ok := stream.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return usual
	}
	return 0
}

// A Line is what a terminal shows while a command runs. It is safe for concurrent use.
type Line struct {
	out  io.Writer
	pace time.Duration // 0: nobody looks
	now  func() time.Time

	mu    sync.Mutex
	last  time.Time // the line was written
	width int       // of what stands there, in characters
}

// New makes a line on a terminal that is written as often as pace says; never for 0.
func New(out io.Writer, pace time.Duration) *Line { return start(out, pace, time.Now) }

func start(out io.Writer, pace time.Duration, now func() time.Time) *Line {
	return &Line{out: out, pace: pace, now: now, last: now()}
}

// Show replaces the line, unless it was written a moment ago. The text must fit into a
// row of the terminal.
func (l *Line) Show(format string, args ...any) {
	if l.pace == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.last) < l.pace {
		return
	}
	text := fmt.Sprintf(format, args...)
	width := utf8.RuneCountInString(text)
	rest := strings.Repeat(" ", max(0, l.width-width)) // of a longer one before
	_, _ = io.WriteString(l.out, "\r"+text+rest)
	l.last, l.width = now, max(width, l.width)
}

// Wipe takes the line away.
func (l *Line) Wipe() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.width == 0 {
		return
	}
	_, _ = io.WriteString(l.out, "\r"+strings.Repeat(" ", l.width)+"\r")
	l.width = 0
}

// Over is a writer to the same terminal: it wipes the line before it writes.
func (l *Line) Over(out io.Writer) io.Writer { return over{l, out} }

type over struct {
	line *Line
	out  io.Writer
}

func (o over) Write(p []byte) (int, error) {
	o.line.Wipe()
	return o.out.Write(p)
}

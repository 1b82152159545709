package main

import "github.com/rohrpost/rohrpost/internal/progress"

// progress shows how far a command has come, if somebody looks at standard error. What
// the command prints meanwhile wipes the line; done wipes it at the end.
func (c *cli) progress() (line *progress.Line, done func()) {
	line = progress.New(c.err, c.pace)
	out := c.out
	c.out = line.Over(out)
	return line, func() {
		line.Wipe()
		c.out = out
	}
}

package main

import (
	"fmt"

	"github.com/rohrpost/rohrpost"
)

// each does something to several mails and tells of each in one line. What fails
// for one does not stop the others; a single one's error is the command's. It
// answers to how many it was done.
func (c *cli) each(ids []string, done string, state rohrpost.State, act func(id string) error) (int, error) {
	succeeded, failed := 0, 0
	for _, id := range ids {
		err := act(id)
		if err == nil {
			succeeded++
			if err = c.printMail(id, done, state); err != nil {
				return succeeded, err
			}
			continue
		}
		if len(ids) == 1 {
			return 0, err
		}
		failed++
		if c.json {
			err = c.printJSON(map[string]string{"id": id, "error": err.Error()})
		} else {
			_, err = fmt.Fprintln(c.err, "rohrpost:", err)
		}
		if err != nil {
			return succeeded, err
		}
	}
	if failed > 0 {
		return succeeded, fmt.Errorf("%d of %d mails were not %s", failed, len(ids), done)
	}
	return succeeded, nil
}

// printMail says what has become of a mail.
func (c *cli) printMail(id, done string, state rohrpost.State) error {
	if c.json {
		return c.printJSON(map[string]string{"id": id, "state": string(state)})
	}
	return c.printf("%s %s\n", id, done)
}

package main

import (
	"fmt"

	"github.com/rohrpost/rohrpost"
)

// each does something to several mails and tells of each in one line. What fails
// for one does not stop the others; a single one's error is the command's.
func (c *cli) each(ids []string, done string, state rohrpost.State, act func(id string) error) error {
	failed := 0
	for _, id := range ids {
		err := act(id)
		if err == nil {
			err = c.printMail(id, done, state)
			if err != nil {
				return err
			}
			continue
		}
		if len(ids) == 1 {
			return err
		}
		failed++
		if c.json {
			err = c.printJSON(map[string]string{"id": id, "error": err.Error()})
		} else {
			_, err = fmt.Fprintln(c.err, "rohrpost:", err)
		}
		if err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d mails were not %s", failed, len(ids), done)
	}
	return nil
}

// printMail says what has become of a mail.
func (c *cli) printMail(id, done string, state rohrpost.State) error {
	if c.json {
		return c.printJSON(map[string]string{"id": id, "state": string(state)})
	}
	return c.printf("%s %s\n", id, done)
}

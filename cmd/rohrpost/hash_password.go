package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/term"
)

const (
	// hashCost makes one guess cost about a quarter of a second.
	hashCost = 12
	// minPassword is in characters. Guessing over the network is slow; a hash that
	// leaks is guessed faster.
	minPassword = 10
	// maxPassword is in octets: bcrypt looks at no more.
	maxPassword = 72
)

var errPassword = errors.New("this password will not do")

func (c *cli) hashPassword() *cobra.Command {
	return &cobra.Command{
		Use:   "hash-password",
		Short: "Hash a password for web.users",
		Long: `Hash a password for web.users, as password_bcrypt or in the file that password_bcrypt_file names.

On a terminal it is asked for twice and not shown; else standard input is the password:
  rohrpost web hash-password < password.txt > /run/secrets/olga`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			password, err := c.newPassword()
			if err != nil {
				return err
			}
			hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]string{"password_bcrypt": string(hash)})
			}
			return c.printf("%s\n", hash)
		},
	}
}

// newPassword is a password that may be used.
func (c *cli) newPassword() (string, error) {
	if in, ok := c.in.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		return twice(func(prompt string) (string, error) { return c.askHidden(in, prompt) })
	}
	return once(func(string) (string, error) { return readPassword(c.in) }, "")
}

// askHidden reads a line from a terminal, which shows nothing from before the prompt
// on. Ctrl-C is io.EOF.
func (c *cli) askHidden(in *os.File, prompt string) (line string, err error) {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, term.Restore(int(in.Fd()), before)) }()
	terminal := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, c.err}, "")
	return terminal.ReadPassword(prompt)
}

// readPassword reads all of a pipe or a file, without the line end of the last line.
func readPassword(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, 1<<10))
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), err
}

func once(ask func(prompt string) (string, error), prompt string) (string, error) {
	password, err := ask(prompt)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	switch n := utf8.RuneCountInString(password); {
	case n == 0:
		return "", fmt.Errorf("%w: it is empty", errPassword)
	case strings.ContainsAny(password, "\r\n"):
		return "", fmt.Errorf("%w: it has several lines", errPassword)
	case n < minPassword:
		return "", fmt.Errorf("%w: it has %d characters, take at least %d", errPassword, n, minPassword)
	case len(password) > maxPassword:
		return "", fmt.Errorf("%w: it has %d octets, and bcrypt looks at the first %d alone", errPassword, len(password), maxPassword)
	}
	return password, nil
}

// twice asks a person, who does not see what they type.
func twice(ask func(prompt string) (string, error)) (string, error) {
	password, err := once(ask, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := ask("Once more: ")
	switch {
	case err != nil:
		return "", fmt.Errorf("read the password: %w", err)
	case again != password:
		return "", fmt.Errorf("%w: the two are not the same", errPassword)
	}
	return password, nil
}

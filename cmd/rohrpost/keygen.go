package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

func (c *cli) keygen() *cobra.Command {
	out := ""
	cmd := &cobra.Command{
		Use:   "keygen -o FILE",
		Short: "Make a key that seals secrets",
		Long: `Make a key that seals secrets.

The private key (identity) goes into FILE, which must not exist yet: give it to workers alone, as
secrets.identity_file. The public key (recipient) is printed: it goes into secrets.recipients.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			identity, recipient, err := seal.Generate()
			if err != nil {
				return err
			}
			text := fmt.Sprintf("# made %s\n# public key: %s\n%s\n", time.Now().Format(time.RFC3339), recipient, identity.Reveal())
			if out == "" { // as age-keygen does it, for pipes
				return c.printf("%s", text)
			}
			file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return err
			}
			if _, err := file.WriteString(text); err != nil {
				return err
			}
			if err := file.Close(); err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]string{"recipient": recipient, "identity_file": out})
			}
			return c.printf("public key: %s\n", recipient)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file for the private key; empty: everything is printed")
	return cmd
}

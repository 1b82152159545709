package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/transport/dkim"
)

func (c *cli) dkim() *cobra.Command {
	cmd := &cobra.Command{Use: "dkim", Short: "Sign mails for domains of the platform"}
	cmd.AddCommand(c.dkimKeygen())
	return cmd
}

func (c *cli) dkimKeygen() *cobra.Command {
	kind, domain, selector, out := "", "", "", ""
	cmd := &cobra.Command{
		Use:   "keygen --domain DOMAIN --selector SELECTOR [-o FILE]",
		Short: "Make a DKIM key, and say what to publish in DNS",
		Long: `Make a DKIM key, and say what to publish in DNS.

The private key goes into FILE, which must not exist yet and which the owner alone can read: give it
to workers alone. What is printed goes into the DNS zone of the domain, before the first mail is signed.
A selector names one key of a domain: take another one for each new key, the year and month for example.
RSA is what every receiver knows. An Ed25519 key can sign beside it, with a selector of its own.`,
		Example: "  rohrpost dkim keygen --domain acme.example --selector rp202612 -o acme.pem",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if domain == "" || selector == "" {
				return &usageError{errors.New("--domain and --selector are needed (see: rohrpost dkim keygen --help)")}
			}
			file, err := dkim.Generate(kind)
			if err != nil {
				return &usageError{err}
			}
			key, err := dkim.ParseKey(domain, selector, file)
			if err != nil {
				return &usageError{err}
			}
			if out != "" {
				if err := writeNew(out, file); err != nil {
					return err
				}
			}
			return c.printDKIM(key, file, out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&kind, "type", dkim.RSA, "kind of the key: "+dkim.RSA+" or "+dkim.Ed25519)
	flags.StringVar(&domain, "domain", "", "domain of the From of the mails")
	flags.StringVar(&selector, "selector", "", "name of the key within the domain")
	flags.StringVarP(&out, "output", "o", "", "file for the private key; empty: everything is printed")
	return cmd
}

func (c *cli) printDKIM(key *dkim.Key, file []byte, out string) error {
	if c.json {
		shown := map[string]string{"name": key.Name(), "record": key.Record()}
		if out != "" {
			shown["key_file"] = out
		} else {
			shown["key"] = string(file)
		}
		return c.printJSON(shown)
	}
	if out == "" { // what stands around the key does no harm in its file
		if err := c.printf("%s", file); err != nil {
			return err
		}
	}
	return c.printf("TXT record to publish:\n  name   %s\n  value  %s\n\nas a line of a zone file:\n%s\n", key.Name(), key.Record(), key.Zone())
}

// writeNew writes a file that its owner alone may read, and that is not there yet.
func writeNew(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil { // half a key is none
		return fmt.Errorf("write the key: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/resolver"
)

// connectFlags are those of account connect.
type connectFlags struct {
	place      resolver.Place
	settings   resolver.OAuth2Settings
	secretFile string
	listen     string
	tokenFile  string
	address    string
	endpoints  resolver.Endpoints
}

func (c *cli) accountConnect() *cobra.Command {
	var f connectFlags
	cmd := &cobra.Command{
		Use:   "connect microsoft|google",
		Short: "Connect a mailbox with OAuth2, in the browser of this machine",
		Long: `Connect a mailbox with OAuth2 (authorization code with PKCE, on a loopback redirect).

The address that is printed is opened in a browser on this machine; whoever signs in there connects their mailbox.
With accounts in Redis the refresh token is sealed and stored with the account. With an accounts file it is
written to --token-file, to be named there as refresh_token_file.`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{resolver.Microsoft, resolver.Google},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.settings.Provider = args[0]
			return c.connect(cmd.Context(), &f)
		},
	}
	placeFlags(cmd, &f.place)
	flags := cmd.Flags()
	flags.StringVar(&f.settings.Transport, "transport", "", "how mails leave: smtp (default), graph or gmail")
	flags.StringVar(&f.settings.Tenant, "directory", "", "Microsoft: the directory, a GUID or domain")
	flags.StringVar(&f.settings.Cloud, "cloud", "", "Microsoft: us, us-dod or china")
	flags.StringVar(&f.settings.ClientID, "client-id", "", "the application (default: oauth2.*_client_id)")
	flags.StringVar(&f.secretFile, "client-secret-file", "", "file with the application's secret")
	flags.StringVar(&f.address, "address", "", "address of the mailbox (default: the account's, else whoever signs in)")
	flags.StringVar(&f.listen, "listen", "", "where the browser comes back to (default: 127.0.0.1 and a free port)")
	flags.StringVar(&f.tokenFile, "token-file", "", "write the refresh token to this new file")
	flags.StringVar(&f.endpoints.Authorize, "authorize-url", "", "sign-in page of an unusual cloud")
	flags.StringVar(&f.endpoints.Token, "token-url", "", "token endpoint of an unusual cloud")
	return cmd
}

func (c *cli) connect(ctx context.Context, f *connectFlags) error {
	desk, done, err := c.desk(ctx)
	if err != nil {
		return err
	}
	defer done()
	if desk.Book == nil && f.tokenFile == "" {
		return &usageError{errors.New("the accounts stand in a file: name a --token-file for the refresh token")}
	}
	if err := f.complete(ctx, desk); err != nil {
		return err
	}
	account := (&resolver.Settings{Address: f.address, OAuth2: &f.settings}).Account(f.place.Level(), f.place.Tenant, f.place.User)
	credentials := desk.Route.Credentials(account)
	credentials.Grant = oauth.Delegated
	conn, err := oauth.Loopback(ctx, oauth.LoopbackOptions{
		Credentials: credentials, Listen: f.listen,
		Show: func(url string) error {
			_, err := fmt.Fprintf(c.err, "Open this address in a browser on this machine, and sign in:\n\n%s\n\n", url)
			return err
		},
	})
	if err != nil {
		return err
	}
	f.settings.RefreshToken = conn.Credentials.RefreshToken
	mailbox := cmp.Or(conn.Mailbox, f.address)
	if f.address != "" && conn.Mailbox != "" && !strings.EqualFold(f.address, conn.Mailbox) {
		_, _ = fmt.Fprintf(c.err, "rohrpost: warning: %s has signed in, the account's address is %s\n", conn.Mailbox, f.address)
	}
	if f.tokenFile != "" {
		return c.keepToken(f, mailbox)
	}
	return c.storeConnection(ctx, desk, f, mailbox)
}

// complete takes from the stored account what the flags leave open.
func (f *connectFlags) complete(ctx context.Context, desk *accounts.Desk) error {
	if f.secretFile != "" {
		b, err := resolver.InFolder(".")(f.secretFile)
		if err != nil {
			return err
		}
		f.settings.ClientSecret = resolver.NewSecret(strings.TrimRight(string(b), "\r\n"))
	}
	if f.endpoints != (resolver.Endpoints{}) {
		f.settings.Endpoints = &f.endpoints
	}
	a, _, err := desk.Find(ctx, f.place)
	if err != nil {
		return nil //nolint:nilerr // there is none yet: the mailbox that signs in makes it
	}
	f.address = cmp.Or(f.address, a.Address)
	return nil
}

// keepToken writes the refresh token into a file and prints what to add to the
// accounts file.
func (c *cli) keepToken(f *connectFlags, mailbox string) error {
	file, err := os.OpenFile(f.tokenFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(f.settings.RefreshToken.Reveal() + "\n"); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	path, err := filepath.Abs(f.tokenFile)
	if err != nil {
		return err
	}
	return c.printf("%s connected. In the accounts file:\n\n  oauth2: {provider: %s, username: %s, refresh_token_file: %s}\n", mailbox, f.settings.Provider, mailbox, path)
}

// storeConnection puts the connection into the stored account, or makes one.
func (c *cli) storeConnection(ctx context.Context, desk *accounts.Desk, f *connectFlags, mailbox string) error {
	version, err := current(ctx, desk.Book, f.place)
	if err != nil {
		return err
	}
	entry := &resolver.Entry{}
	if version > 0 {
		r, err := desk.Book.Get(ctx, f.place)
		if err != nil {
			return err
		}
		entry, version = &r.Entry, r.Version
	}
	if entry.Account == nil {
		entry.Account = &resolver.Settings{}
	}
	s := entry.Account
	s.Address = cmp.Or(s.Address, mailbox)
	if !strings.EqualFold(s.Address, mailbox) {
		f.settings.Username = mailbox
	}
	s.OAuth2 = &f.settings
	if _, err := desk.Book.Put(ctx, c.operator(), f.place, version, entry); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]string{"id": f.place.String(), "mailbox": mailbox})
	}
	return c.printf("%s connected to %s\n", mailbox, f.place)
}

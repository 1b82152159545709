package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
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
	lang       string
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
	flags.StringVar(&f.lang, "lang", "en", "language of hints: en or de")
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
	if desk.Book != nil && f.tokenFile == "" {
		if err := desk.Book.CanStore(); err != nil { // before somebody signs in for nothing
			return err
		}
	}
	if err := f.complete(ctx, desk); err != nil {
		return err
	}
	if f.tokenFile != "" {
		return c.keepToken(ctx, desk, f)
	}
	mailbox, err := c.signIn(ctx, desk, f)
	if err != nil {
		return err
	}
	return c.storeConnection(ctx, desk, f, mailbox)
}

// complete reads the secret, and takes from the stored account what the flags
// leave open: whoever connects it again names nothing twice.
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
	stored, err := storedAt(ctx, desk, f.place)
	switch {
	case errors.Is(err, redisstore.ErrUnknown) || err == nil && stored.Entry.Account == nil:
		return nil // the mailbox that signs in makes it
	case err != nil:
		return err
	}
	a, _, err := desk.Find(ctx, f.place)
	if err != nil {
		return err
	}
	f.address = cmp.Or(f.address, a.Address)
	if a.OAuth2.Provider != f.settings.Provider {
		return nil
	}
	old, s := stored.Entry.Account.OAuth2, &f.settings
	s.Transport, s.Username = cmp.Or(s.Transport, old.Transport), old.Username
	s.Tenant, s.Cloud, s.Endpoints = cmp.Or(s.Tenant, old.Tenant), cmp.Or(s.Cloud, old.Cloud), cmp.Or(s.Endpoints, old.Endpoints)
	if s.ClientID = cmp.Or(s.ClientID, old.ClientID); s.ClientID != old.ClientID || !s.ClientSecret.IsZero() {
		return nil
	}
	if slices.Contains(stored.Secrets, "oauth2.client_secret") && a.Unusable != "" {
		return fmt.Errorf("%s: %s: name the application's secret with --client-secret-file", f.place, a.Unusable)
	}
	s.ClientSecret = a.OAuth2.ClientSecret
	return nil
}

// signIn has somebody sign in, keeps the refresh token in the settings, and
// answers whose mailbox it is.
func (c *cli) signIn(ctx context.Context, desk *accounts.Desk, f *connectFlags) (mailbox string, err error) {
	account := (&resolver.Settings{Address: f.address, OAuth2: &f.settings}).Account(f.place.Level(), f.place.Tenant, f.place.User)
	account.Trusted = desk.File != nil || f.place.Tenant == ""
	credentials := desk.Route.Credentials(account)
	credentials.Grant = oauth.Delegated
	conn, err := oauth.Loopback(ctx, oauth.LoopbackOptions{
		Credentials: credentials, Listen: f.listen,
		Show: func(url string) error {
			_, err := fmt.Fprintf(c.err, "Open this address in a browser on this machine, and sign in:\n\n%s\n\n", url)
			return err
		},
	})
	if refused, ok := errors.AsType[*failure.Failure](err); ok {
		return "", fmt.Errorf("%w: %s", err, refused.Hint(f.lang))
	}
	if err != nil {
		return "", err
	}
	f.settings.RefreshToken = conn.Credentials.RefreshToken
	known := cmp.Or(f.settings.Username, f.address)
	if known != "" && conn.Mailbox != "" && !strings.EqualFold(known, conn.Mailbox) {
		_, _ = fmt.Fprintf(c.err, "rohrpost: warning: %s has signed in, the account's address is %s\n", conn.Mailbox, known)
	}
	return cmp.Or(conn.Mailbox, known), nil
}

// keepToken writes the refresh token into a file, which it makes before anybody
// signs in for nothing, and prints what to add to the accounts file.
func (c *cli) keepToken(ctx context.Context, desk *accounts.Desk, f *connectFlags) error {
	path, err := filepath.Abs(f.tokenFile)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	mailbox, err := c.signIn(ctx, desk, f)
	if err == nil {
		_, err = file.WriteString(f.settings.RefreshToken.Reveal() + "\n")
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if c.json {
		return c.printJSON(map[string]string{"mailbox": mailbox, "refresh_token_file": path})
	}
	s := f.settings
	s.Username, s.RefreshTokenFile, s.ClientSecretFile = mailbox, path, f.secretFile
	s.RefreshToken, s.ClientSecret = resolver.Secret{}, resolver.Secret{}
	text, err := yamlOf(&s, yaml.DoubleQuotedStyle)
	if err != nil {
		return err
	}
	return c.printf("%s connected. In the accounts file:\n\n  oauth2: %s", mailbox, text)
}

// storeConnection puts the connection into the stored account, or makes one.
func (c *cli) storeConnection(ctx context.Context, desk *accounts.Desk, f *connectFlags, mailbox string) error {
	r, err := desk.Book.Get(ctx, f.place)
	switch {
	case errors.Is(err, redisstore.ErrUnknown):
		r = &redisstore.Record{}
	case err != nil:
		return err
	}
	if r.Entry.Account == nil {
		r.Entry.Account = &resolver.Settings{}
	}
	s := r.Entry.Account
	s.Address, s.OAuth2 = cmp.Or(s.Address, mailbox), &f.settings
	if s.OAuth2.Username = mailbox; strings.EqualFold(s.Address, mailbox) {
		s.OAuth2.Username = ""
	}
	if _, err := desk.Book.Put(ctx, c.operator(), f.place, r.Version, &r.Entry); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]string{"id": f.place.String(), "mailbox": mailbox})
	}
	return c.printf("%s connected to %s\n", mailbox, f.place)
}

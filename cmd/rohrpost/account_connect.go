package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/failure"
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
	return c.withAccounts(ctx, func(ctx context.Context, service *accounts.Service) error {
		if service.InFile() && f.tokenFile == "" {
			return &usageError{errors.New("the accounts stand in a file: name a --token-file for the refresh token")}
		}
		if err := f.read(); err != nil {
			return err
		}
		if f.tokenFile != "" {
			return c.keepToken(ctx, service, f)
		}
		done, err := c.signIn(ctx, service, f, nil)
		if err != nil {
			return err
		}
		if c.json {
			return c.printJSON(map[string]string{"id": f.place.String(), "mailbox": done.Mailbox})
		}
		return c.printf("%s connected to %s\n", done.Mailbox, f.place)
	})
}

// read reads what the flags name.
func (f *connectFlags) read() error {
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
	return nil
}

// signIn has somebody sign in, in a browser of this machine. take is that of
// accounts.Connect.
func (c *cli) signIn(ctx context.Context, service *accounts.Service, f *connectFlags, take func(resolver.OAuth2Settings) error) (done accounts.Connected, err error) {
	var begun atomic.Pointer[accounts.Connecting]
	loopback, err := oauth.ListenLoopback(ctx, oauth.Provider(f.settings.Provider), f.listen, func(ctx context.Context, r oauth.Redirect) (string, error) {
		signIn := begun.Load()
		if signIn == nil {
			return "", oauth.ErrNoSignIn // nobody was sent there yet
		}
		connected, err := signIn.Complete(ctx, r)
		if err == nil {
			done = connected
		}
		return connected.Mailbox, err
	})
	if err != nil {
		return done, err
	}
	defer loopback.Close()
	connecting, err := service.Connect(ctx, accounts.Connect{
		Who: c.operator(), Place: f.place, Settings: f.settings, Address: f.address, RedirectURL: loopback.RedirectURL(), Take: take,
	})
	if field, ok := errors.AsType[*rohrpost.FieldError](err); ok && field.Field == "oauth2.client_secret" {
		return done, fmt.Errorf("%w: name the file with the application's secret with --client-secret-file", err)
	}
	if err != nil {
		return done, err
	}
	begun.Store(connecting)
	if _, err := fmt.Fprintf(c.err, "Open this address in a browser on this machine, and sign in:\n\n%s\n\n", connecting.URL()); err != nil {
		return done, err
	}
	err = loopback.Wait(ctx)
	if refused, ok := errors.AsType[*failure.Failure](err); ok {
		return done, fmt.Errorf("%w: %s", err, refused.HintAt(failure.Test(), f.lang))
	}
	if err == nil && done.Expected != "" {
		_, err = fmt.Fprintf(c.err, "rohrpost: warning: %s has signed in, the account's address is %s\n", done.Mailbox, done.Expected)
	}
	return done, err
}

// keepToken writes the refresh token into a file, which it makes before anybody
// signs in for nothing, and prints what to add to the accounts file.
func (c *cli) keepToken(ctx context.Context, service *accounts.Service, f *connectFlags) error {
	path, err := filepath.Abs(f.tokenFile)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	var settings resolver.OAuth2Settings
	_, err = c.signIn(ctx, service, f, func(s resolver.OAuth2Settings) error {
		settings = s
		_, err := file.WriteString(s.RefreshToken.Reveal() + "\n")
		return err
	})
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if c.json {
		return c.printJSON(map[string]string{"mailbox": settings.Username, "refresh_token_file": path})
	}
	settings.RefreshTokenFile, settings.ClientSecretFile = path, f.secretFile
	settings.RefreshToken, settings.ClientSecret = resolver.Secret{}, resolver.Secret{}
	text, err := yamlOf(&settings, yaml.DoubleQuotedStyle)
	if err != nil {
		return err
	}
	return c.printf("%s connected. In the accounts file:\n\n  oauth2: %s", settings.Username, text)
}

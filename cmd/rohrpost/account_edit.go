package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func (c *cli) accountSet() *cobra.Command {
	var p resolver.Place
	file, version := "-", int64(-1)
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Store an account, read as YAML from standard input or --file",
		Long: `Store an account, read as YAML from standard input or --file.

The keys are those of accounts.yaml at this place. Files that it names (password_file) are read, and their
contents sealed. A secret that is left out stays as it is stored. What show has printed, with the version in
its first line, is refused if somebody else has changed the account meanwhile.`,
		Example: `  rohrpost account show --tenant acme > acme.yaml && $EDITOR acme.yaml && rohrpost account set --tenant acme --file acme.yaml
  echo '{provider: ionos, address: info@acme.example, smtp: {password_file: pw}}' | rohrpost account set --tenant acme`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			entry, shown, err := c.entry(file, p)
			if err != nil {
				return err
			}
			return c.withStore(cmd.Context(), func(ctx context.Context, store *redisstore.Store) error {
				if version < 0 {
					version = shown
				}
				if version < 0 {
					if version, err = current(ctx, store, p); err != nil {
						return err
					}
				}
				if version, err = store.Put(ctx, c.operator(), p, version, entry); err != nil {
					return err
				}
				r, err := store.Get(ctx, p)
				if err != nil {
					return err
				}
				return c.printStored(r)
			})
		},
	}
	placeFlags(cmd, &p)
	cmd.Flags().StringVarP(&file, "file", "f", "-", "file with the settings; -: standard input")
	cmd.Flags().Int64Var(&version, "version", -1, "refuse if the stored account has another version (default: that in the first line)")
	return cmd
}

// shownVersion is the version in the first line of what show has printed of a
// place; -1 if the text is something else.
func shownVersion(text []byte, p resolver.Place) int64 {
	line, _, _ := strings.Cut(string(text), "\n")
	_, version, ok := strings.Cut(strings.TrimPrefix(line, "# "+p.String()+": "), ", version ")
	number, err := strconv.ParseInt(version, 10, 64)
	if !ok || err != nil || !strings.HasPrefix(line, "# "+p.String()+": ") {
		return -1
	}
	return number
}

// entry reads settings, and the files that they name. version is that which show
// has printed above them; -1 if there is none.
func (c *cli) entry(file string, p resolver.Place) (e *resolver.Entry, version int64, err error) {
	name, folder, in := file, filepath.Dir(file), c.in
	if file == "-" {
		name, folder = "standard input", "."
	} else {
		f, err := os.Open(file)
		if err != nil {
			return nil, -1, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, -1, fmt.Errorf("%s: %w", name, err)
	}
	entry, err := resolver.ParseEntry(name, text, p.Level())
	if err != nil {
		return nil, -1, err
	}
	unread := entry.ReadFiles(resolver.InFolder(folder))
	for _, key := range slices.Sorted(maps.Keys(unread)) {
		err = errors.Join(err, fmt.Errorf("%s_file: %w", key, unread[key]))
	}
	return entry, shownVersion(text, p), err
}

func (c *cli) printStored(r *redisstore.Record) error {
	state := noAccount
	var warnings []string
	if r.Account != nil {
		state, warnings = r.Account.State.String(), r.Account.Warnings()
	}
	if c.json {
		return c.printJSON(map[string]any{"id": r.Place.String(), "version": r.Version, "state": state, "warnings": append([]string{}, warnings...)})
	}
	for _, w := range warnings {
		if err := c.printf("warning: %s\n", w); err != nil {
			return err
		}
	}
	return c.printf("%s stored: %s, version %d\n", r.Place, state, r.Version)
}

func (c *cli) accountDelete() *cobra.Command {
	var p resolver.Place
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete what is stored at a place",
		Args:  cobra.NoArgs,
		RunE: c.onAccounts(func(ctx context.Context, service *accounts.Service) error {
			store, err := service.Store()
			if err != nil {
				return err
			}
			version, err := current(ctx, store, p)
			if err != nil {
				return err
			}
			if err := service.Delete(ctx, c.operator(), p, version); err != nil {
				return err
			}
			return c.printDone(p, "deleted")
		}),
	}
	placeFlags(cmd, &p)
	return cmd
}

func (c *cli) accountUnlock() *cobra.Command {
	return c.switchTenant("unlock", "Let a tenant use mail servers of its own", true)
}

func (c *cli) accountLock() *cobra.Command {
	return c.switchTenant("lock", "Forbid a tenant mail servers of its own", false)
}

func (c *cli) switchTenant(use, short string, on bool) *cobra.Command {
	var p resolver.Place
	cmd := &cobra.Command{
		Use:   use + " --tenant TENANT",
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.Tenant == "" {
				return &usageError{errors.New("--tenant is missing: the platform needs no unlocking")}
			}
			return c.withStore(cmd.Context(), func(ctx context.Context, store *redisstore.Store) error {
				if err := store.Unlock(ctx, c.operator(), p.Tenant, on); err != nil {
					return err
				}
				return c.printDone(p, use+"ed")
			})
		},
	}
	cmd.Flags().StringVar(&p.Tenant, "tenant", "", "tenant id")
	return cmd
}

func (c *cli) accountApprove() *cobra.Command {
	return c.step("approve", "Let checked settings carry mail", func(ctx context.Context, store *redisstore.Store, p resolver.Place) (string, error) {
		version, err := current(ctx, store, p)
		if err != nil {
			return "", err
		}
		return "approved", store.Approve(ctx, c.operator(), p, version)
	})
}

// step is a command that changes one record in Redis.
func (c *cli) step(use, short string, do func(context.Context, *redisstore.Store, resolver.Place) (string, error)) *cobra.Command {
	var p resolver.Place
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: c.onStore(func(ctx context.Context, store *redisstore.Store) error {
			what, err := do(ctx, store, p)
			if err != nil {
				return err
			}
			return c.printDone(p, what)
		}),
	}
	placeFlags(cmd, &p)
	return cmd
}

func (c *cli) printDone(p resolver.Place, what string) error {
	if c.json {
		return c.printJSON(map[string]any{"id": p.String(), "done": what})
	}
	return c.printf("%s %s\n", p, what)
}

func (c *cli) accountRelease() *cobra.Command {
	var p resolver.Place
	cmd := &cobra.Command{
		Use:   "release",
		Short: "Let a parked account log in again",
		Args:  cobra.NoArgs,
		RunE: c.onAccounts(func(ctx context.Context, service *accounts.Service) error {
			if _, _, err := service.Find(ctx, p); err != nil {
				return err
			}
			if err := service.Release(ctx, p); err != nil {
				return err
			}
			return c.printDone(p, "released")
		}),
	}
	placeFlags(cmd, &p)
	return cmd
}

func (c *cli) accountImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Store every account of an accounts file in Redis, in place of what is there",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withStore(cmd.Context(), func(ctx context.Context, store *redisstore.Store) error {
				file, err := resolver.LoadFile(args[0])
				if err == nil {
					err = unread(file)
				}
				if err != nil {
					return err
				}
				line, done := c.progress()
				defer done()
				n, err := store.Import(ctx, c.operator(), file, func(n int) { line.Show("%d entries stored", n) })
				if err != nil {
					return fmt.Errorf("after %d entries: %w", n, err)
				}
				if c.json {
					return c.printJSON(map[string]int{"entries": n})
				}
				return c.printf("%d entries stored\n", n)
			})
		},
	}
}

// unread says which of the files that an accounts file names could not be read: a
// worker goes on without them, but nothing can be taken over.
func unread(file *resolver.File) error {
	var errs []error
	for _, a := range file.All() {
		if a.Unusable != "" {
			errs = append(errs, fmt.Errorf("%s: %s", a.ID(), a.Unusable))
		}
	}
	for place, entry := range file.Entries() {
		if b := entry.Branding; b != nil && b.LogoFile != "" {
			errs = append(errs, fmt.Errorf("%s: its logo cannot be read: %s", place, b.LogoFile))
		}
	}
	return errors.Join(errs...)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func (c *cli) accountList() *cobra.Command {
	tenant := ""
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List accounts with their state",
		Args:  cobra.NoArgs,
		RunE: c.onAccounts(func(ctx context.Context, service *accounts.Service) error {
			w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
			if !c.json {
				_, _ = fmt.Fprintln(w, "ACCOUNT\tSTATE\tADDRESS\tTHROUGH\tSERVER")
			}
			for i, err := range service.List(ctx, tenant) {
				if err != nil {
					return err
				}
				if c.json {
					err = c.printJSON(i)
				} else {
					_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.ID, stateText(&i), i.Address, i.Transport, i.Host)
				}
				if err != nil {
					return err
				}
			}
			return w.Flush()
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant and its users")
	return cmd
}

func stateText(i *accounts.Item) string {
	switch {
	case i.Default:
		return "switched off"
	case i.Parked != "":
		return "parked: " + i.Parked
	case i.Unusable != "":
		return "unusable"
	case i.Block != nil && !i.Block.Until.IsZero():
		return fmt.Sprintf("%s until %s", i.Block.Kind, localTime(i.Block.Until))
	case i.Block != nil:
		return string(i.Block.Kind)
	}
	return i.State
}

// noAccount is the state of an entry without one: of a tenant with an order
// alone, of a user with a name.
const noAccount = "no account"

// shown is an account as show prints it.
type shown struct {
	ID       string          `json:"id"`
	State    string          `json:"state"`
	Version  int64           `json:"version,omitempty"`
	Unlocked bool            `json:"unlocked,omitempty"`
	Checked  bool            `json:"checked,omitempty"`
	Approved bool            `json:"approved,omitempty"`
	Entry    *resolver.Entry `json:"entry"`
	Secrets  []string        `json:"secrets,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
}

func (c *cli) accountShow() *cobra.Command {
	var p resolver.Place
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what is stored of an account, secrets redacted",
		Args:  cobra.NoArgs,
		RunE: c.onAccounts(func(ctx context.Context, service *accounts.Service) error {
			r, err := service.Record(ctx, p)
			if err != nil {
				return err
			}
			out := showing(r)
			if out.Entry.Account != nil {
				item, err := service.Item(ctx, p)
				if err != nil {
					return err
				}
				out.State, out.Warnings = stateText(&item), append(item.Warnings, out.Warnings...)
			}
			return c.printShown(p.Level(), &out)
		}),
	}
	placeFlags(cmd, &p)
	return cmd
}

// showing is a record as show prints it, of which the account is not known yet.
func showing(r *redisstore.Record) shown {
	return shown{
		ID: r.Place.String(), State: noAccount, Version: r.Version, Entry: &r.Entry, Secrets: slices.Sorted(slices.Values(r.Secrets)),
		Unlocked: r.Unlocked, Checked: r.Checked, Approved: r.Approved, Warnings: accounts.RecordWarnings(r),
	}
}

// printShown writes the entry as YAML that set reads, the rest as comments.
func (c *cli) printShown(level resolver.Level, s *shown) error {
	if c.json {
		return c.printJSON(s)
	}
	head := fmt.Sprintf("# %s: %s", s.ID, s.State)
	if s.Version > 0 {
		head += fmt.Sprintf(", version %d", s.Version)
	}
	if err := c.printf("%s\n", head); err != nil {
		return err
	}
	if len(s.Secrets) > 0 {
		if err := c.printf("# stored and sealed: %s\n", strings.Join(s.Secrets, ", ")); err != nil {
			return err
		}
	}
	for _, w := range s.Warnings {
		if err := c.printf("# warning: %s\n", w); err != nil {
			return err
		}
	}
	text, err := yamlOf(written(level, s.Entry), yaml.FlowStyle|yaml.DoubleQuotedStyle)
	if err != nil {
		return err
	}
	return c.printf("%s", text)
}

// written is an entry as it stands in a file: the platform's account is not
// nested.
func written(level resolver.Level, e *resolver.Entry) any {
	if level != resolver.Platform || e.Account == nil {
		return e
	}
	return struct {
		AdminAddress string `json:"admin_address,omitempty"`
		*resolver.Settings
	}{e.AdminAddress, e.Account}
}

// yamlOf writes as YAML what has names for JSON alone, in the order of its fields
// and without these styles of JSON.
func yamlOf(v any, without yaml.Style) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var node yaml.Node // keeps the order
	if err := yaml.Unmarshal(text, &node); err != nil {
		return "", err
	}
	restyle(&node, without)
	var b strings.Builder
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err = errors.Join(enc.Encode(&node), enc.Close())
	return b.String(), err
}

func restyle(n *yaml.Node, without yaml.Style) {
	n.Style &^= without
	for _, child := range n.Content {
		restyle(child, without)
	}
}

func (c *cli) accountHistory() *cobra.Command {
	tenant, limit := "", 50
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show who has changed what",
		Args:  cobra.NoArgs,
		RunE: c.onStore(func(ctx context.Context, store *redisstore.Store) error {
			changes, err := store.History(ctx, c.operator(), tenant, limit)
			if err != nil {
				return err
			}
			for _, change := range changes {
				if c.json {
					err = c.printJSON(change)
				} else {
					err = c.printf("%s  %s  %s %s\n%s", localTime(change.Time), change.Actor.Name, change.Action, change.Place, fieldsText(change.Fields))
				}
				if err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "tenant id; empty: the platform")
	cmd.Flags().IntVar(&limit, "limit", limit, "at most so many changes, the latest first")
	return cmd
}

func fieldsText(fields []redisstore.FieldChange) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "    %s: %s → %s\n", f.Field, orDash(f.Old), orDash(f.New))
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (c *cli) accountPresets() *cobra.Command {
	lang := ""
	cmd := &cobra.Command{
		Use:   "presets",
		Short: "List the providers whose servers are known",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if c.json {
				return c.printJSON(resolver.Presets())
			}
			for _, p := range resolver.Presets() {
				note := p.Note.English
				if strings.HasPrefix(strings.ToLower(lang), "de") {
					note = p.Note.German
				}
				host := p.Host
				if host == "" {
					host = "(own server)"
				}
				if err := c.printf("%-13s %s, %s:%d %s\n              %s\n", p.ID, p.Name, host, p.Port, p.Encryption, note); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "en", "language of the notes: en or de")
	return cmd
}

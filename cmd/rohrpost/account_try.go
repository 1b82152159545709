package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/resolver"
)

func (c *cli) accountExplain() *cobra.Command {
	var p resolver.Place
	var origin, category, from, lang string
	cmd := &cobra.Command{
		Use:     "explain",
		Short:   "Say through whose account a mail would leave, and why",
		Example: "  rohrpost account explain --tenant acme --user max --origin manual",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req := resolver.Request{
				Tenant: p.Tenant, User: rohrpost.User{ID: p.User},
				Origin: rohrpost.Origin(origin), Category: rohrpost.Category(category),
			}
			if err := checkRequest(&req, from); err != nil {
				return &usageError{err}
			}
			cfg, err := c.load()
			if err != nil {
				return err
			}
			return c.withAccounts(cmd.Context(), func(ctx context.Context, service *accounts.Service) error {
				e, err := service.Explain(ctx, c.operator(), req, cmp.Or(lang, cfg.ErrorLog.Language))
				if err != nil {
					return err
				}
				if c.json {
					return c.printJSON(e)
				}
				return c.printExplanation(&e)
			})
		},
	}
	placeFlags(cmd, &p)
	cmd.Flags().StringVar(&origin, "origin", string(rohrpost.Automatic), "manual: a person writes it; automatic: a program does")
	cmd.Flags().StringVar(&category, "category", string(rohrpost.Transactional), "transactional or marketing")
	cmd.Flags().StringVar(&from, "from", "", "From that the mail asks for")
	langFlag(cmd, &lang)
	return cmd
}

func langFlag(cmd *cobra.Command, lang *string) {
	cmd.Flags().StringVar(lang, "lang", "", "language of hints: en or de (default: errorlog.language)")
}

func checkRequest(req *resolver.Request, from string) error {
	if req.Origin != rohrpost.Manual && req.Origin != rohrpost.Automatic {
		return fmt.Errorf("--origin %q is not one of manual, automatic", req.Origin)
	}
	if req.Category != rohrpost.Transactional && req.Category != rohrpost.Marketing {
		return fmt.Errorf("--category %q is not one of transactional, marketing", req.Category)
	}
	if from == "" {
		return nil
	}
	var err error
	if req.From, err = rohrpost.ParseAddress(from); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	return nil
}

func (c *cli) printExplanation(e *resolver.Explanation) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	row := func(name, text string) { _, _ = fmt.Fprintf(w, "%s\t%s\n", name, text) }
	row("account", e.Account)
	row("leaves by", fmt.Sprintf("%s, %s, login: %s", e.Transport, e.Host, e.Authentication))
	row("From", strings.TrimSpace(e.FromName+" <"+e.From+">"))
	row("Reply-To", strings.Join(e.ReplyTo, ", "))
	row("reverse-path", e.ReversePath)
	row("why", e.Why)
	if e.Waits != "" {
		row("waits", e.Waits)
	}
	if e.Fallback != "" {
		row("fallback", e.Fallback)
	}
	for _, p := range e.PassedOver {
		name := string(p.Level)
		if p.Transport != "" {
			name += " (" + string(p.Transport) + ")"
		}
		row("not "+name, p.Why)
	}
	for _, warning := range e.Warnings {
		row("warning", warning)
	}
	return w.Flush()
}

// tryFlags are those of test and doctor.
type tryFlags struct {
	place resolver.Place
	file  string
	stdin bool
	to    string
	lang  string
}

func (f *tryFlags) add(cmd *cobra.Command, to string) {
	placeFlags(cmd, &f.place)
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "try the settings in this file, which are not stored; -: standard input")
	cmd.Flags().BoolVar(&f.stdin, "stdin", false, "the same as --file -")
	cmd.Flags().StringVar(&f.to, "to", "", to)
	langFlag(cmd, &f.lang)
}

// try reads the flags, and settings that are not stored.
func (c *cli) try(f *tryFlags) (accounts.Try, error) {
	t := accounts.Try{Who: c.operator(), Place: f.place, Language: f.lang}
	if f.to != "" {
		to, err := rohrpost.ParseAddress(f.to)
		if err != nil {
			return t, &usageError{fmt.Errorf("--to: %w", err)}
		}
		t.To = to
	}
	cfg, err := c.load()
	if err != nil {
		return t, err
	}
	if t.Language == "" {
		t.Language = cfg.ErrorLog.Language
	}
	if f.stdin {
		f.file = "-"
	}
	if f.file != "" {
		t.Unsaved, _, err = c.entry(f.file, f.place)
	}
	return t, err
}

func (c *cli) accountTest() *cobra.Command {
	var f tryFlags
	cmd := &cobra.Command{
		Use:   "test --to ADDRESS",
		Short: "Send a test mail, with stored or unsaved settings",
		Long: `Send a test mail to yourself, with the stored settings or with those of --file or --stdin, which are not stored.

A success with stored settings counts as their check, and frees an account that was parked.`,
		Example: `  rohrpost account test --tenant acme --to anna@acme.example
  rohrpost account test --tenant acme --to anna@acme.example --stdin < settings.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.to == "" {
				return &usageError{errors.New("--to is missing: the address of the person who tries it")}
			}
			t, err := c.try(&f)
			if err != nil {
				return err
			}
			return c.withAccounts(cmd.Context(), func(ctx context.Context, service *accounts.Service) error {
				if err := service.Admit(ctx, t.Who, t.Place); err != nil {
					return err
				}
				r, err := service.TestMail(ctx, t)
				if err != nil {
					return err
				}
				if err := c.printResult(&r); err != nil {
					return err
				}
				if !r.Accepted {
					return fmt.Errorf("the test mail was not accepted: %s", r.Category)
				}
				return nil
			})
		},
	}
	f.add(cmd, "the person who tries it")
	return cmd
}

func (c *cli) printResult(r *accounts.Result) error {
	if c.json {
		return c.printJSON(r)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	row("account", "%s", r.Account)
	row("server", "%s", r.Host)
	row("From", "%s", r.From)
	row("to", "%s", r.To)
	if r.Accepted {
		row("result", "accepted after %d ms", r.TookMS)
	} else {
		row("result", "%s (%s), %d %s", r.Category, r.Stage, r.Code, r.Enhanced)
		row("what to do", "%s", r.Hint)
	}
	if r.Reply != "" {
		row("reply", "%s", r.Reply)
	}
	for _, warning := range r.Warnings {
		row("warning", "%s", warning)
	}
	return w.Flush()
}

func (c *cli) accountDoctor() *cobra.Command {
	var f tryFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine an account's server step by step, without sending a mail",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := c.try(&f)
			if err != nil {
				return err
			}
			return c.withAccounts(cmd.Context(), func(ctx context.Context, service *accounts.Service) error {
				if err := service.Admit(ctx, t.Who, t.Place); err != nil {
					return err
				}
				report, err := service.Examine(ctx, t)
				if err != nil {
					return err
				}
				if c.json {
					err = c.printJSON(report)
				} else {
					err = c.printf("%s", report.Text())
				}
				switch {
				case err != nil:
					return err
				case report.Verdict == doctor.Failed:
					return errors.New("the account cannot send")
				case report.Verdict == doctor.Skipped:
					return errors.New("the account was not examined: all its connections are busy with mails")
				}
				return nil
			})
		},
	}
	f.add(cmd, "a recipient to ask the server for")
	return cmd
}

func (c *cli) accountPreview() *cobra.Command {
	tenant, out, lang := "", "", ""
	cmd := &cobra.Command{
		Use:   "preview --tenant TENANT -o FILE",
		Short: "Write a page that shows a tenant's branding around a sample mail",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if tenant == "" || out == "" {
				return &usageError{errors.New("--tenant and --output are required")}
			}
			return c.withAccounts(cmd.Context(), func(ctx context.Context, service *accounts.Service) error {
				candidates, err := service.Accounts(ctx, tenant, "")
				if err != nil {
					return err
				}
				if candidates.Branding == nil {
					return fmt.Errorf("tenant %s has no branding: see branding in accounts.example.yaml", tenant)
				}
				file, err := os.Create(out)
				if err != nil {
					return err
				}
				if err := errors.Join(compose.Look(candidates.Branding).Preview(file, lang), file.Close()); err != nil {
					return err
				}
				if c.json {
					return c.printJSON(map[string]string{"output": out})
				}
				return c.printf("%s written\n", out)
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "tenant id")
	cmd.Flags().StringVarP(&out, "output", "o", "", "the page to write, as preview.html")
	cmd.Flags().StringVar(&lang, "lang", "en", "language of the sample: en or de")
	return cmd
}

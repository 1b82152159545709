package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/errorlog"
)

func (c *cli) errorsExport() *cobra.Command {
	var s selection
	var format, path string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the full log as a file",
		Args:  cobra.NoArgs,
		RunE: c.reading(&s, func(ctx context.Context, log *errorlog.Log, filter errorlog.Filter) error {
			line, done := c.progress()
			defer done()
			export := func(w io.Writer) (errorlog.Summary, error) {
				return log.Export(ctx, &meter{Writer: w, show: line.Show}, filter, errorlog.Format(format), s.lang)
			}
			if path == "" || path == "-" {
				summary, err := export(c.out)
				c.tellMissing(summary)
				return err
			}
			summary, err := writeFile(path, export)
			if err != nil {
				return err
			}
			c.tellMissing(summary)
			if c.json {
				return c.printJSON(map[string]any{"file": path, "entries": summary.Entries})
			}
			return c.printf("%d entries written to %s\n", summary.Entries, path)
		}),
	}
	cmd.PreRunE = func(*cobra.Command, []string) error {
		switch errorlog.Format(format) {
		case errorlog.JSONL, errorlog.CSV, errorlog.Text:
			return nil
		}
		return &usageError{fmt.Errorf("%w, not %q", errorlog.ErrFormat, format)}
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "jsonl, csv or text")
	cmd.Flags().StringVarP(&path, "output", "o", "", "file to write (default: standard output)")
	cmd.Flags().BoolVar(&s.filter.OldestFirst, "oldest-first", false, "oldest entry first")
	return cmd
}

// tellMissing warns of what is not in a file. A CSV has no place to say so itself.
func (c *cli) tellMissing(s errorlog.Summary) {
	if n := s.Entries - s.Written; n > 0 {
		_, _ = fmt.Fprintf(c.err, "warning: %d entries left the log while the file was written\n", n)
	}
	for _, cut := range s.Cut {
		_, _ = fmt.Fprintf(c.err, "warning: the log of %s is full: %d older entries were dropped, it is complete since %s\n",
			cmp.Or(cut.Tenant, "the platform"), cut.Dropped, cut.Complete.Format(time.RFC3339))
	}
}

// writeFile writes beside the file and renames at the end: a full disk leaves
// what was there before, and no half file.
func writeFile(path string, export func(io.Writer) (errorlog.Summary, error)) (summary errorlog.Summary, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return summary, fmt.Errorf("export: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, 64<<10)
	if summary, err = export(buffered); err != nil {
		return summary, fmt.Errorf("export to %s: %w; nothing was kept of it, and the log itself is untouched", path, err)
	}
	if err = buffered.Flush(); err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return summary, fmt.Errorf("export to %s: %w; nothing was kept of it, and the log itself is untouched", path, err)
	}
	return summary, nil
}

// A meter shows how much goes through it.
type meter struct {
	io.Writer
	show  func(format string, args ...any)
	bytes int64
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Writer.Write(p)
	m.bytes += int64(n)
	m.show("%.1f MiB written", float64(m.bytes)/(1<<20))
	return n, err
}

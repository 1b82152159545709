package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
			export := func(w io.Writer) (errorlog.Summary, error) {
				return log.Export(ctx, w, filter, errorlog.Format(format), s.lang)
			}
			if path == "" || path == "-" {
				_, err := export(c.out)
				return err
			}
			summary, err := writeFile(path, export)
			if err != nil {
				return err
			}
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

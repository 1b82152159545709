package errorlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// A Summary says what an export wrote.
type Summary struct {
	Header
	Written int64 // entries that are complete in the file; fewer than Header.Entries after an error, or if some left the log meanwhile
	Bytes   int64
}

// Export writes what f picks as a file: a header and the entries, in constant
// memory. lang is "en" or "de". The header says the number of entries, so a filter
// by time or content costs a first pass over the log; what is appended while the
// file is written is not in it. If entries leave the log meanwhile, a last line
// says how many.
//
// An error, of ctx, of Redis or of w, comes with the summary of what was written
// before it.
func (l *Log) Export(ctx context.Context, w io.Writer, f Filter, format Format, lang string) (Summary, error) {
	enc, err := format.encoder(lang)
	if err != nil {
		return Summary{}, err
	}
	win, err := l.open(ctx, f)
	if err != nil {
		return Summary{}, err
	}
	count, err := l.count(ctx, win)
	if err != nil {
		return Summary{}, err
	}
	out := output{w: w}
	sum := Summary{Header: l.header(win, count)}
	err = l.export(ctx, &out, win, enc, sum.Header)
	sum.Written, sum.Bytes = out.entries, out.bytes
	if err != nil {
		return sum, fmt.Errorf("errorlog: export ended after %d of %d entries, %d bytes: %w", sum.Written, sum.Entries, sum.Bytes, err)
	}
	return sum, nil
}

// count is the number of entries that a window yields.
func (l *Log) count(ctx context.Context, w *window) (n int64, err error) {
	if !w.filter.byContent() {
		n = w.held()
		if limit := int64(w.filter.Limit); limit > 0 {
			n = min(n, limit)
		}
		return n, nil
	}
	for _, err := range l.read(ctx, w) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (l *Log) export(ctx context.Context, out *output, w *window, enc encoder, h Header) error {
	if err := enc.header(&out.pending, h); err != nil {
		return err
	}
	for e, err := range l.read(ctx, w) {
		if err != nil {
			return errors.Join(err, out.flush()) // what was read is not thrown away
		}
		if err := enc.entry(&out.pending, e); err != nil {
			return err
		}
		if err := out.added(); err != nil {
			return err
		}
	}
	if missing := h.Entries - out.entries - out.held; missing > 0 {
		if err := enc.footer(&out.pending, missing); err != nil {
			return err
		}
	}
	return out.flush()
}

// chunk is how much is written at once, in bytes.
const chunk = 64 << 10

// An output writes in chunks and knows which entries are out.
type output struct {
	w       io.Writer
	pending bytes.Buffer
	held    int64 // entries in pending
	entries int64 // entries that w took
	bytes   int64
}

// added counts an entry that is complete in pending.
func (o *output) added() error {
	o.held++
	if o.pending.Len() < chunk {
		return nil
	}
	return o.flush()
}

func (o *output) flush() error {
	n, err := o.w.Write(o.pending.Bytes())
	o.bytes += int64(n)
	if err == nil && n < o.pending.Len() {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	o.entries += o.held
	o.held = 0
	o.pending.Reset()
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rohrpost/rohrpost"
)

// messageForm is a message as flags.
type messageForm struct {
	m                       rohrpost.Message
	to, cc, bcc, replyTo    []string
	from, user              string
	origin, category        string
	priority, onUncertain   string
	notBefore, expires      string
	attachments             []string
	inline, headers, values []string
	raw                     bool
	calendar                string
}

func (f *messageForm) flags(flags *pflag.FlagSet) {
	flags.StringVar(&f.m.ID, "id", "", "idempotency key (default: a random one)")
	flags.StringVar(&f.m.Tenant, "tenant", "", "tenant (default: the platform)")
	flags.StringVar(&f.m.User.ID, "user", "", "id of the user who sends")
	flags.StringVar(&f.user, "user-address", "", "the user as \"First Last <address>\"")
	flags.StringVar(&f.origin, "origin", "", "manual or automatic (default: automatic)")
	flags.StringVar(&f.category, "category", "", "transactional or marketing (default: transactional)")
	flags.StringVar(&f.from, "from", "", "sender asked for")
	flags.StringArrayVar(&f.replyTo, "reply-to", nil, "where answers go (repeatable)")
	flags.StringArrayVar(&f.to, "to", nil, "recipient, \"a@b.example\" or \"Name <a@b.example>\" (repeatable)")
	flags.StringArrayVar(&f.cc, "cc", nil, "recipient of a copy (repeatable)")
	flags.StringArrayVar(&f.bcc, "bcc", nil, "recipient of a hidden copy (repeatable)")
	flags.StringVar(&f.m.Subject, "subject", "", "subject")
	flags.StringVar(&f.m.Text, "text", "", "text body")
	flags.StringVar(&f.m.HTML, "html", "", "HTML body")
	flags.BoolVar(&f.m.NoTextPart, "no-text-part", false, "make no text of the HTML body")
	flags.StringVar(&f.calendar, "calendar", "", "METHOD=file with an invitation, as REQUEST=termin.ics")
	flags.BoolVar(&f.raw, "raw", false, "read a whole mail from standard input")
	flags.StringArrayVar(&f.attachments, "attach", nil, "file to attach (repeatable)")
	flags.StringArrayVar(&f.inline, "inline", nil, "CONTENT-ID=file shown in the HTML body as cid:CONTENT-ID (repeatable)")
	flags.StringArrayVar(&f.headers, "header", nil, "\"X-Name: value\" (repeatable)")
	flags.StringArrayVar(&f.values, "meta", nil, "key=value handed back in status and log (repeatable)")
	flags.StringVar(&f.priority, "priority", "", "critical, default or bulk (default: default)")
	flags.StringVar(&f.notBefore, "not-before", "", "first attempt at this time (RFC 3339) or after this delay (90m)")
	flags.StringVar(&f.expires, "expires", "", "give up at this time (RFC 3339) or after this delay (24h)")
	flags.StringVar(&f.onUncertain, "on-uncertain", "", "resend or hold (default: resend)")
}

// used reports whether the flags name a recipient.
func (f *messageForm) used() bool { return len(f.to)+len(f.cc)+len(f.bcc) > 0 }

// rawMessage is a whole mail, with what the flags say of its way.
func (f *messageForm) rawMessage(in io.Reader) (rohrpost.Message, error) {
	m, err := f.message()
	if err != nil {
		return m, err
	}
	if m.Raw, err = io.ReadAll(in); err != nil {
		return m, fmt.Errorf("standard input: %w", err)
	}
	if len(m.Raw) == 0 {
		return m, errors.New("standard input: it is empty, and --raw reads a mail from it")
	}
	return m, nil
}

func (f *messageForm) message() (rohrpost.Message, error) {
	m := f.m
	m.Origin, m.Category = rohrpost.Origin(f.origin), rohrpost.Category(f.category)
	m.Priority, m.OnUncertain = rohrpost.Priority(f.priority), rohrpost.OnUncertain(f.onUncertain)
	var errs []error
	list := func(flag string, texts []string) (out []rohrpost.Address) {
		for _, text := range texts {
			a, err := rohrpost.ParseAddress(text)
			if err != nil {
				errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
			}
			out = append(out, a)
		}
		return out
	}
	m.To, m.Cc, m.Bcc, m.ReplyTo = list("to", f.to), list("cc", f.cc), list("bcc", f.bcc), list("reply-to", f.replyTo)
	if f.from != "" {
		m.From = list("from", []string{f.from})[0]
	}
	if f.user != "" {
		a := list("user-address", []string{f.user})[0]
		m.User.Address = a.Address
		m.User.FirstName, m.User.LastName, _ = strings.Cut(a.Name, " ")
	}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			errs = append(errs, fmt.Errorf("--header %q: write \"Name: value\"", h))
		}
		m.Headers = append(m.Headers, rohrpost.Header{Name: name, Value: strings.TrimSpace(value)})
	}
	for _, pair := range f.values {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("--meta %q: write key=value", pair))
		}
		if m.Metadata == nil {
			m.Metadata = map[string]string{}
		}
		m.Metadata[key] = value
	}
	var err error
	m.NotBefore, err = moment("not-before", f.notBefore)
	errs = append(errs, err)
	m.Expires, err = moment("expires", f.expires)
	errs = append(errs, err, f.files(&m))
	if err := errors.Join(errs...); err != nil {
		return m, &usageError{err}
	}
	return m, nil
}

func (f *messageForm) files(m *rohrpost.Message) error {
	if f.calendar != "" {
		method, path, _ := strings.Cut(f.calendar, "=")
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("--calendar %q: write METHOD=file: %w", f.calendar, err)
		}
		m.Calendar = &rohrpost.Calendar{Method: method, Content: string(content)}
	}
	for _, path := range f.attachments {
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("--attach: %w", err)
		}
		m.Attachments = append(m.Attachments, rohrpost.Attachment{Name: filepath.Base(path), Content: content})
	}
	for _, pair := range f.inline {
		id, path, _ := strings.Cut(pair, "=")
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("--inline %q: write CONTENT-ID=file: %w", pair, err)
		}
		m.Attachments = append(m.Attachments, rohrpost.Attachment{Name: filepath.Base(path), ContentID: id, Content: content})
	}
	return nil
}

// moment reads a time, or a delay from now; empty: the zero time.
func moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--%s %q: neither a time as 2026-01-31T08:00:00+01:00 nor a delay as 90m", flag, text)
	}
	return time.Now().Add(d), nil
}

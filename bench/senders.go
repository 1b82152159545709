package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail"
)

// smtpSource is the limit: a C program that sends prepared mails.
func (e *environment) smtpSource(ctx context.Context, c course) (time.Duration, error) {
	begun := time.Now()
	out, err := exec.CommandContext(ctx, find("smtp-source"), "-d", "-s", strconv.Itoa(c.connections), "-m", strconv.Itoa(c.mails),
		"-l", strconv.Itoa(c.bytes()), c.server).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("smtp-source: %w: %s", err, out)
	}
	return time.Since(begun), nil
}

// bytes is how long a mail is on the wire, about.
func (c *course) bytes() int {
	n := len(fourKB())
	if c.attachment != nil {
		const in, line = 57, 78 // base64: a line of 76 and its end
		n += len(c.attachment(0)) * line / in
	}
	return n
}

// barePool is go-mail as one would use it: kept connections, a new message each.
func (e *environment) barePool(ctx context.Context, c course) (time.Duration, error) {
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make(chan error, c.connections)
	begun := time.Now()
	for range c.connections {
		group.Go(func() {
			if err := sendAll(ctx, c, &next); err != nil {
				failed <- err
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return 0, fmt.Errorf("go-mail: %w", err)
	default:
		return time.Since(begun), nil
	}
}

// sendAll sends over one connection until no mail is left.
func sendAll(ctx context.Context, c course, next *atomic.Int64) error {
	host, portText, err := net.SplitHostPort(c.server)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return err
	}
	policy := mail.NoTLS
	if c.tls {
		policy = mail.TLSMandatory
	}
	client, err := mail.NewClient(host, mail.WithPort(port), mail.WithTLSPolicy(policy), mail.WithHELO("bench.example"))
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	text := fourKB()
	for n := next.Add(1); n <= int64(c.mails); n = next.Add(1) {
		m := mail.NewMsg()
		if err := m.FromFormat("Platform", "noreply@platform.example"); err != nil {
			return err
		}
		if err := m.To("kunde@example.org"); err != nil {
			return err
		}
		m.Subject("Ihre Rechnung")
		m.SetBodyString(mail.TypeTextPlain, text)
		if c.attachment != nil {
			if err := m.AttachReader(attachmentName, bytes.NewReader(c.attachment(int(n)))); err != nil {
				return err
			}
		}
		if err := client.Send(m); err != nil {
			return err
		}
	}
	return client.Close()
}

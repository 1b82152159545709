package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// marker ends the text of a mail.
func marker(id string) string { return "end-of-" + id }

// newMail is the n-th mail: by the seed, but for its times, which begin now.
// cancel is when somebody cancels it; negative: nobody does.
func newMail(seed uint64, n int) (m rohrpost.Message, cancel time.Duration) {
	r := rand.New(rand.NewPCG(seed, uint64(n)+1))
	m.ID = fmt.Sprintf("s%d-%06d", seed, n)
	if i := r.IntN(servers + 1); i == servers {
		m.Tenant = "guest"
	} else if i > 0 {
		m.Tenant = serverName(i)
	}
	for i := range 1 + r.IntN(5) {
		list := []*[]rohrpost.Address{&m.To, &m.Cc, &m.Bcc}[r.IntN(3)]
		*list = append(*list, rohrpost.Address{Address: fmt.Sprintf("r%d.%s@example.org", i, m.ID)})
	}
	lines := 1 + r.IntN(60)
	if r.IntN(40) == 0 {
		lines = 800 // a blob
	}
	m.Subject = "Ihre Rechnung " + m.ID
	m.Text = strings.Repeat("Sehr geehrte Damen und Herren, anbei die Rechnung.\r\n", lines) + marker(m.ID) + "\r\n"
	if r.IntN(20) == 0 {
		content := make([]byte, 1000+r.IntN(60_000))
		for i := range content {
			content[i] = byte(r.Uint32())
		}
		m.Attachments = []rohrpost.Attachment{{Name: "R-1.pdf", Content: content}}
	}
	m.Priority = []rohrpost.Priority{rohrpost.Critical, rohrpost.Default, rohrpost.Bulk}[r.IntN(3)]
	if r.IntN(3) == 0 {
		m.OnUncertain = rohrpost.Hold
	}
	due := time.Now()
	if r.IntN(12) == 0 {
		due = due.Add(between(r, time.Second, 20*time.Second))
		m.NotBefore = due
	}
	if r.IntN(30) == 0 {
		m.Expires = due.Add(between(r, 5*time.Second, 40*time.Second))
	}
	cancel = -1
	switch { // half of the scheduled ones, and some that may be under way
	case !m.NotBefore.IsZero() && r.IntN(2) == 0:
		cancel = between(r, 0, 20*time.Second)
	case r.IntN(16) == 0:
		cancel = between(r, 0, time.Second)
	}
	return m, cancel
}

// A post is those who send, and those who cancel.
type post struct {
	s    *site
	mail *producer.Client
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// send enqueues mails from now on, evenly over a time.
func (s *site) send(ctx context.Context, mails int, during time.Duration) *post {
	s.t.Helper()
	mail, err := producer.Open("redis://" + s.links[producerLink].addr + "/0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = mail.Close() })
	p := &post{s: s, mail: mail}
	const senders = 4
	begin := time.Now()
	for k := range senders {
		p.wg.Go(func() {
			r := rand.New(rand.NewPCG(s.plan.seed, uint64(k)<<32))
			for n := k; n < mails && ctx.Err() == nil; {
				batch := []int{n}
				for range r.IntN(3) * r.IntN(12) { // mostly one by one
					if n += senders; n < mails {
						batch = append(batch, n)
					}
				}
				n += senders
				select {
				case <-time.After(time.Until(begin.Add(during * time.Duration(batch[0]) / time.Duration(mails)))):
				case <-ctx.Done():
				}
				p.batch(ctx, batch)
			}
		})
	}
	return p
}

// wait returns when all mails are enqueued and all cancels are answered.
func (p *post) wait() error {
	p.wg.Wait()
	return errors.Join(p.errs...)
}

func (p *post) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}

// batch sends until the queue has accepted everything. What is sent again has its
// old id.
func (p *post) batch(ctx context.Context, numbers []int) {
	messages, cancels := make([]rohrpost.Message, len(numbers)), map[string]time.Duration{}
	for i, n := range numbers {
		m, cancel := newMail(p.s.plan.seed, n)
		if messages[i] = m; cancel >= 0 {
			cancels[m.ID] = cancel
		}
		p.s.books.open(&mailing{id: m.ID, recipients: m.Recipients(), hold: m.OnUncertain == rohrpost.Hold})
	}
	for len(messages) > 0 {
		results, _ := p.mail.SendBatch(ctx, messages)
		left := messages[:0:0]
		for i, r := range results {
			id := messages[i].ID
			var refused rohrpost.FieldErrors
			switch {
			case errors.As(r.Err, &refused) && !messages[i].Expires.IsZero() && time.Now().After(messages[i].Expires):
				// Redis was away for so long that nobody wants the mail any more.
			case errors.As(r.Err, &refused) || r.Err != nil && ctx.Err() != nil:
				p.fail(fmt.Errorf("%s: %w", id, r.Err))
			case r.Err != nil:
				left = append(left, messages[i])
			default:
				p.s.books.with(id, func(m *mailing) { m.receipt = r.Receipt })
				if d, ok := cancels[id]; ok {
					p.wg.Go(func() { p.cancel(ctx, id, d) })
				}
			}
		}
		messages = left
	}
}

// cancel cancels a mail after a while, until there is an answer.
func (p *post) cancel(ctx context.Context, id string, after time.Duration) {
	p.s.books.with(id, func(m *mailing) { m.tried = true })
	for ctx.Err() == nil {
		select {
		case <-time.After(after):
		case <-ctx.Done():
		}
		err := p.mail.Cancel(ctx, id)
		switch {
		case err == nil:
			p.s.books.with(id, func(m *mailing) { m.canceled = time.Now() })
			return
		case errors.Is(err, producer.ErrFinal), errors.Is(err, producer.ErrSending):
			return
		case errors.Is(err, producer.ErrNotFound):
			p.fail(err)
			return
		}
		after = 200 * time.Millisecond
	}
}

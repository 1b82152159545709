package producer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/producer/internal/accept"
	"github.com/rohrpost/rohrpost/producer/internal/content"
)

// inlineBody is the largest body that travels in the payload.
const inlineBody = 32 << 10

var errInTheWay = errors.New("an archived task of this id is in the way")

// A portion is enqueued together.
//
// Records and tasks of a portion travel in one pipeline, for a fresh id cannot
// have been used before. An id of the application's own can, in another queue
// even, where asynq would not notice: it is reserved in a pipeline before, and
// only then is it clear whether there is a task to enqueue.
type portion struct {
	client  *Client
	entries []*entry
	bytes   int
	size    int64          // what it brings to Redis
	largest int64          // attachment or body
	files   map[*byte]bool // contents that were counted
	key     *envelope.Key  // seals what the mails say; nil: nothing does
	clear   bool           // they were enqueued in clear before, and share what they say
}

// An entry is one accepted message on its way into the queue.
type entry struct {
	job         *payload.Job
	ownID       bool   // the application chose the id
	nonce       string // of this very Send
	weight      int64  // what it counts while it waits
	subject     string // that the record keeps; it may be sealed
	content     content.Print
	reservation ledger.Reservation
	ticket      queue.Ticket
	result      *Result

	counted  bool // among what waits for its tenant
	reserved bool // the record is its own
	listed   bool // in the index of mails
	late     bool // not in it, and should be: an earlier Send has opened the record and died
	unclear  bool // it failed, and nobody knows how far it came
}

// add prepares one message, or refuses it.
func (p *portion) add(m *rohrpost.Message, result *Result) {
	job, err := p.client.rules.Job(m, p.client.now())
	if err != nil {
		result.Err = err
		return
	}
	weight := quota.Weight(job)
	e := &entry{job: job, ownID: m.ID != "", nonce: job.ID, weight: weight, result: result}
	if e.ownID {
		e.nonce = accept.NewID()
	}
	p.entries = append(p.entries, e)
	p.bytes += len(job.Text) + len(job.HTML) + len(job.Raw)
	p.size += weight
	p.largest = max(p.largest, int64(len(job.Text)), int64(len(job.HTML)), int64(len(job.Raw)))
	for _, a := range job.Attachments {
		if len(a.Content) == 0 {
			continue
		}
		p.largest = max(p.largest, int64(len(a.Content)))
		if p.files[&a.Content[0]] {
			p.size -= int64(len(a.Content)) // Redis has it once
			continue
		}
		if p.files == nil {
			p.files = map[*byte]bool{}
		}
		p.files[&a.Content[0]] = true
		p.bytes += len(a.Content)
	}
}

// send enqueues the portion and hands out the verdicts. Blobs go before the
// tasks: a worker may take a task the moment it is there.
func (p *portion) send(ctx context.Context) {
	if len(p.entries) == 0 {
		return
	}
	all := slices.Clone(p.entries)
	err := p.admit(ctx)
	if err == nil {
		p.print()
		err = p.unlock()
	}
	if err == nil {
		err = p.reserve(ctx)
	}
	if err == nil {
		err = p.store(ctx)
	}
	const tries = 2 // the second one for what an ended task was in the way of
	for range tries {
		if err == nil && len(p.entries) > 0 {
			err = p.enqueue(ctx)
		}
	}
	if err == nil {
		err = errInTheWay
	}
	for _, e := range p.entries {
		p.client.fail(ctx, e, err)
	}
	p.finish(ctx, all)
}

// reserve opens the records of chosen ids, and drops the entries for which there
// is nothing left to enqueue.
func (p *portion) reserve(ctx context.Context) error {
	var batch lua.Batch
	var own []*entry
	for _, e := range p.entries {
		if e.ownID {
			e.reserve(p.client.ledger, &batch)
			own = append(own, e)
		}
	}
	counts := p.client.count(&batch, own)
	if err := batch.Exec(ctx, p.client.rdb); err != nil {
		return err
	}
	counted(counts)
	p.entries = slices.DeleteFunc(p.entries, func(e *entry) bool { return e.ownID && p.client.known(ctx, e) })
	return nil
}

// known reports whether the id stands for a job that needs no task, or for
// somebody else's. A job that has not ended is enqueued again, into the queue
// where it belongs: the Send that reserved the id may have died before it did,
// and if not, asynq refuses the task.
func (c *Client) known(ctx context.Context, e *entry) bool {
	if !c.receive(ctx, e) {
		return true
	}
	if !e.result.Receipt.Duplicate {
		return false
	}
	record, err := c.ledger.Load(ctx, e.job.Key())
	switch {
	case errors.Is(err, ledger.ErrUnknown): // it ended this moment
		return true
	case err != nil:
		c.fail(ctx, e, err)
		return true
	}
	e.job.Priority = rohrpost.Priority(record.Queue)
	return record.State.Final()
}

// unlock takes the key that seals, and the subjects that records keep.
func (p *portion) unlock() error {
	if p.client.sealer != nil && !p.clear {
		var err error
		if p.key, err = p.client.sealer.Key(); err != nil {
			return err
		}
	}
	if !p.client.subject {
		return nil
	}
	for _, e := range p.entries {
		e.subject = e.job.Subject
		if p.key != nil && e.subject != "" {
			e.subject = p.key.Line(e.subject, e.job.Key())
		}
	}
	return nil
}

// store puts attachments and large bodies aside.
func (p *portion) store(ctx context.Context) error {
	contents := shelf{key: p.key}
	for _, e := range p.entries {
		e.detach(&contents, p.client.ledger.Horizon(e.job))
	}
	return p.client.blobs.Put(ctx, &contents.blobs)
}

// encode is the job as the queue holds it.
func (p *portion) encode(job *payload.Job) ([]byte, error) {
	if p.key != nil {
		return p.key.Payload(job)
	}
	return payload.Encode(job)
}

// enqueue runs the pipeline and keeps the entries that must be tried again.
func (p *portion) enqueue(ctx context.Context) error {
	var batch lua.Batch
	recorder := queue.NewRecorder(&batch)
	for _, e := range p.entries {
		encoded, err := p.encode(e.job)
		if err != nil {
			return err
		}
		if !e.ownID {
			e.reserve(p.client.ledger, &batch)
		}
		if e.ticket, err = recorder.Add(ctx, e.job, encoded); err != nil {
			return err
		}
	}
	counts := p.client.count(&batch, p.entries)
	listed := p.client.list(&batch, p.entries)
	recorder.Wake()
	if err := batch.Exec(ctx, p.client.rdb); err != nil {
		return err
	}
	counted(counts)
	listed.learn()
	p.entries = slices.DeleteFunc(p.entries, func(e *entry) bool { return p.client.done(ctx, e) })
	return nil
}

// done reads the verdict, and reports whether that was the last word.
func (c *Client) done(ctx context.Context, e *entry) bool {
	accepted, err := e.ticket.Accepted()
	if !e.ownID && !c.receive(ctx, e) {
		if accepted { // Redis had room for the task alone, and the mail is refused
			_ = c.tasks.Delete(taskOf(e.job))
		}
		return true
	}
	e.late = accepted && !e.listed
	if err == nil && !accepted && e.ownID && !e.result.Receipt.Duplicate {
		var evicted bool
		if evicted, err = c.evict(taskOf(e.job)); evicted {
			return false
		}
	}
	if err != nil {
		c.fail(ctx, e, err)
	}
	return true
}

// evict deletes the archived task of a job that the ledger has forgotten. Any
// other task of a fresh id is our own: the reply to it was lost, and go-redis has
// asked again.
func (c *Client) evict(ref queue.Ref) (bool, error) {
	task, err := c.tasks.Task(ref)
	switch {
	case errors.Is(err, queue.ErrNoTask):
		return false, nil
	case err != nil || task.State != queue.Archived:
		return false, err
	}
	err = c.tasks.Delete(ref)
	return err == nil, err
}

// taskOf names the task of a job.
func taskOf(job *payload.Job) queue.Ref {
	return queue.Ref{Queue: queue.Name(job.Priority), ID: string(job.Key())}
}

// fail leaves the id to the application: under it the mail can be sent again.
func (c *Client) fail(ctx context.Context, e *entry, err error) {
	e.result.Receipt = rohrpost.Receipt{ID: e.job.ID}
	e.unclear = !answered(err)
	if redis.HasErrorPrefix(err, "OOM") {
		reading, _ := c.memory.Read(ctx)
		err = full(reading)
	}
	e.result.Err = err
	if _, refused := errors.AsType[*QuotaError](err); !refused {
		e.result.Err = fmt.Errorf("enqueue: %w", err)
	}
}

// receive reads the receipt, or the reason why there is none.
func (c *Client) receive(ctx context.Context, e *entry) bool {
	receipt, err := e.reservation.Receipt()
	switch {
	case errors.Is(err, ledger.ErrTaken):
		e.result.Err = accept.Taken()
	case err != nil:
		c.fail(ctx, e, err)
	default:
		e.result.Receipt = receipt
		e.result.Receipt.Warning = accept.Warning(&e.job.Message)
		e.reserved = !receipt.Duplicate
		return !e.conflicts()
	}
	return false
}

// conflicts refuses a content that is not the one which was sent under its id.
func (e *entry) conflicts() bool {
	if !e.result.Receipt.Duplicate {
		return false
	}
	fields := e.content.Differences(content.Print(e.reservation.Content()))
	if len(fields) == 0 {
		return false
	}
	e.result.Receipt = rohrpost.Receipt{ID: e.job.ID}
	e.result.Err = &ConflictError{ID: e.job.ID, Fields: fields}
	return true
}

func (e *entry) reserve(l *ledger.Ledger, batch *lua.Batch) {
	metadata := ""
	if len(e.job.Metadata) > 0 {
		encoded, _ := json.Marshal(e.job.Metadata) // a map of strings cannot fail
		metadata = string(encoded)
	}
	e.reservation = l.Reserve(batch, e.job, ledger.Opening{
		Nonce: e.nonce, Metadata: metadata, Weight: e.weight, Subject: e.subject, Content: string(e.content),
	})
}

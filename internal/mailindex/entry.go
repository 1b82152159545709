package mailindex

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/rohrpost/rohrpost/internal/payload"
)

// A Mail is what the index takes of a mail.
type Mail struct {
	Tenant     string
	ID         string
	User       string // the id of the person; empty: nobody
	EnqueuedAt time.Time
	Recipients []string
}

// Of is the mail of a job.
func Of(job *payload.Job) Mail {
	return Mail{job.Tenant, job.ID, job.User.ID, job.EnqueuedAt, job.Recipients()}
}

// An entry is, all numbers big-endian:
//
//	6 bytes  Unix ms at which the mail was enqueued
//	4        fingerprint of the user
//	2        number of recipients
//	8 each   fingerprints of the recipient and of its domain
//	         the id
//
// In the journal its length follows in 2 bytes: blocks are read from their end.
const (
	fixedSize     = 6 + 4 + 2
	recipientSize = 4 + 4
	lengthSize    = 2
	// mostRecipients bounds an entry to what its length can say. The others of a mail to
	// more are not found by it.
	mostRecipients = 5000
)

// appendEntry appends the entry of a mail.
func (p *printer) appendEntry(b []byte, m *Mail) []byte {
	ms := uint64(m.EnqueuedAt.UnixMilli())
	b = append(b, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
	b = binary.BigEndian.AppendUint32(b, uint32(p.user(m.User)))
	recipients := m.Recipients[:min(len(m.Recipients), mostRecipients)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(recipients)))
	for _, r := range recipients {
		whole, domain := p.address(r)
		b = binary.BigEndian.AppendUint32(b, uint32(whole))
		b = binary.BigEndian.AppendUint32(b, uint32(domain))
	}
	return append(b, m.ID...)
}

// appendBlock appends the entry of a mail to a block.
func (p *printer) appendBlock(b []byte, m *Mail) []byte {
	begin := len(b)
	b = p.appendEntry(b, m)
	return binary.BigEndian.AppendUint16(b, uint16(min(len(b)-begin, math.MaxUint16)))
}

// An entry is read where it lies.
type entry []byte

// sound reports whether the bytes are an entry.
func (e entry) sound() bool { return len(e) > fixedSize && len(e) > e.idAt() }

func (e entry) idAt() int {
	return fixedSize + recipientSize*int(binary.BigEndian.Uint16(e[fixedSize-2:]))
}

func (e entry) ms() int64 {
	return int64(e[0])<<40 | int64(e[1])<<32 | int64(binary.BigEndian.Uint32(e[2:]))
}

func (e entry) id() string { return string(e[e.idAt():]) }

func (e entry) user() fingerprint { return fingerprint(binary.BigEndian.Uint32(e[6:])) }

// concerns reports whether a recipient has this fingerprint: the address, or the domain.
func (e entry) concerns(f fingerprint, domain bool) bool {
	at := fixedSize
	if domain {
		at += 4
	}
	for end := e.idAt(); at < end; at += recipientSize {
		if fingerprint(binary.BigEndian.Uint32(e[at:])) == f {
			return true
		}
	}
	return false
}

// lastEntry is the last entry of a piece of a block, and how many bytes it takes there;
// 0: the piece does not hold the whole of it. A block that says nonsense has a size below
// 0.
func lastEntry(piece []byte) (e entry, size int) {
	if len(piece) < lengthSize {
		return nil, 0
	}
	length := int(binary.BigEndian.Uint16(piece[len(piece)-lengthSize:]))
	size = length + lengthSize
	if size > len(piece) {
		return nil, 0
	}
	e = entry(piece[len(piece)-size : len(piece)-lengthSize])
	if !e.sound() {
		return nil, -1
	}
	return e, size
}

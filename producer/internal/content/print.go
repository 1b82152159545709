package content

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// A Print is the fingerprint of a content as a record keeps it, of Size octets; empty: there is none.
type Print string

// A print is a version, the mark of its key, an octet of choices, and the groups.
const (
	version   = 1
	markSize  = 3
	groupSize = 4
	head      = 1 + markSize + 1

	// Size is that of a Print in octets.
	Size = head + 14*groupSize
)

// A Printer makes prints with one key. It is for one goroutine.
type Printer struct {
	mac     hash.Hash
	mark    []byte
	digests map[*byte][sha256.Size]byte // of attachments that were seen: many mails share one
	room    []byte
}

// NewPrinter makes one. The key is of whatever length.
func NewPrinter(key []byte) *Printer {
	p := &Printer{mac: hmac.New(sha256.New, key), digests: map[*byte][sha256.Size]byte{}}
	p.add("mark")
	p.mark = p.mac.Sum(nil)[:markSize]
	return p
}

// A group is fields that are hashed together, under the name of the first.
type group struct {
	name string
	add  func(p *Printer, j *payload.Job)
}

// groups are in the order of a print; a new one is a new version.
func groups() []group {
	return []group{
		{"to", func(p *Printer, j *payload.Job) { p.addresses(j.To) }},
		{"cc", func(p *Printer, j *payload.Job) { p.addresses(j.Cc) }},
		{"bcc", func(p *Printer, j *payload.Job) { p.addresses(j.Bcc) }},
		{"from", func(p *Printer, j *payload.Job) { p.addresses([]rohrpost.Address{j.From}) }},
		{"reply_to", func(p *Printer, j *payload.Job) { p.addresses(j.ReplyTo) }},
		{"subject", func(p *Printer, j *payload.Job) { p.add(j.Subject) }},
		{"text", func(p *Printer, j *payload.Job) { p.add(j.Text) }},
		{"html", func(p *Printer, j *payload.Job) { p.add(j.HTML) }},
		{"headers", func(p *Printer, j *payload.Job) {
			for _, h := range j.Headers {
				p.add(h.Name, h.Value)
			}
		}},
		{"attachments", func(p *Printer, j *payload.Job) {
			for _, a := range j.Attachments {
				digest := p.digest(a.Content)
				p.add(a.Name, a.ContentType, a.ContentID, string(digest[:]))
			}
		}},
		{"calendar", func(p *Printer, j *payload.Job) {
			if j.Calendar != nil {
				p.add(j.Calendar.Method, j.Calendar.Content)
			}
		}},
		{"raw", func(p *Printer, j *payload.Job) {
			if len(j.Raw) > 0 {
				digest := p.digest(j.Raw)
				p.add(string(digest[:]))
			}
		}},
		{"user", func(p *Printer, j *payload.Job) {
			p.add(j.User.ID, j.User.FirstName, j.User.LastName, j.User.Address)
		}},
		{"metadata", func(p *Printer, j *payload.Job) {
			for _, key := range slices.Sorted(maps.Keys(j.Metadata)) {
				p.add(key, j.Metadata[key])
			}
		}},
	}
}

// Of is the print of a job whose bodies and attachments are not blobs yet.
func (p *Printer) Of(j *payload.Job) Print {
	out := make([]byte, 0, Size)
	out = append(out, version)
	out = append(out, p.mark...)
	out = append(out, choices(j))
	for _, g := range groups() {
		p.mac.Reset()
		p.add(string(j.Key()), g.name)
		g.add(p, j)
		p.room = p.mac.Sum(p.room[:0])
		out = append(out, p.room[:groupSize]...)
	}
	return Print(out)
}

// add hashes texts with their lengths, so that none runs into the next.
func (p *Printer) add(texts ...string) {
	for _, text := range texts {
		p.room = binary.BigEndian.AppendUint64(p.room[:0], uint64(len(text)))
		p.mac.Write(p.room) // never fails
		const piece = 16 << 10
		for len(text) > 0 {
			n := min(piece, len(text))
			p.room = append(p.room[:0], text[:n]...)
			p.mac.Write(p.room)
			text = text[n:]
		}
	}
}

func (p *Printer) addresses(list []rohrpost.Address) {
	for _, a := range list {
		p.add(a.Name, a.Address)
	}
}

func (p *Printer) digest(content []byte) [sha256.Size]byte {
	if len(content) == 0 {
		return sha256.Sum256(nil)
	}
	first := &content[0]
	digest, known := p.digests[first]
	if !known {
		digest = sha256.Sum256(content)
		p.digests[first] = digest
	}
	return digest
}

// The choices of a message, as bits; what is empty is its default.
const (
	manual = 1 << iota
	marketing
	hold
	noTextPart
)

func choices(j *payload.Job) byte {
	var bits byte
	if j.Origin == rohrpost.Manual {
		bits |= manual
	}
	if j.Category == rohrpost.Marketing {
		bits |= marketing
	}
	if j.OnUncertain == rohrpost.Hold {
		bits |= hold
	}
	if j.NoTextPart {
		bits |= noTextPart
	}
	return bits
}

// Differences are the fields in which another content differs, in the spelling of the JSON
// form. There is none if one of the prints is none, or they cannot be compared.
func (a Print) Differences(b Print) []string {
	if len(a) != Size || len(b) != Size || a[0] != version || a[:head-1] != b[:head-1] {
		return nil
	}
	var fields []string
	for i, g := range groups() {
		at := head + i*groupSize
		if a[at:at+groupSize] != b[at:at+groupSize] {
			fields = append(fields, g.name)
		}
	}
	for i, name := range [...]string{"origin", "category", "on_uncertain", "no_text_part"} {
		if (a[head-1]^b[head-1])&(1<<i) != 0 {
			fields = append(fields, name)
		}
	}
	return fields
}

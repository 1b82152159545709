package mailindex

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"
	"sync"
)

// A fingerprint stands for an address, a domain or a user. Two of them share one by
// chance, once in four thousand million: a reader compares the record.
type fingerprint uint32

// A printer makes the fingerprints of one tenant. It is safe for concurrent use.
type printer struct {
	macs sync.Pool

	mu     sync.Mutex
	at     place
	domain string // the last one, and its fingerprint: mails come in runs
	mark   fingerprint
}

// A keyed is an HMAC with room for what goes in and comes out.
type keyed struct {
	hash.Hash
	room []byte
}

func newPrinter(secret, tenant string) *printer {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("rohrpost mails of " + tenant)) // never fails
	key := mac.Sum(nil)
	return &printer{macs: sync.Pool{New: func() any { return &keyed{Hash: hmac.New(sha256.New, key)} }}}
}

// kinds keep the fingerprints of equal texts apart.
const (
	kindAddress = "a"
	kindDomain  = "d"
	kindUser    = "u"
)

func (p *printer) print(kind, text string) fingerprint {
	mac := p.macs.Get().(*keyed)
	defer p.macs.Put(mac)
	mac.Reset()
	mac.room = append(append(mac.room[:0], kind...), text...)
	mac.Write(mac.room) // never fails
	mac.room = mac.Sum(mac.room[:0])
	return fingerprint(binary.BigEndian.Uint32(mac.room))
}

// user is 0 for nobody.
func (p *printer) user(id string) fingerprint {
	if id == "" {
		return 0
	}
	return p.print(kindUser, id)
}

// address is the fingerprints of an address and of its domain.
func (p *printer) address(address string) (whole, domain fingerprint) {
	address = Fold(address)
	return p.print(kindAddress, address), p.domainOf(address)
}

func (p *printer) domainOf(address string) fingerprint {
	name := Domain(address)
	p.mu.Lock()
	known, mark := p.domain, p.mark
	p.mu.Unlock()
	if known == name {
		return mark
	}
	mark = p.print(kindDomain, name)
	p.mu.Lock()
	p.domain, p.mark = strings.Clone(name), mark
	p.mu.Unlock()
	return mark
}

// Fold is an address for comparing: nobody who looks for a mail knows in which case the
// application has written the address, and neither does the error log ask for it.
func Fold(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// Domain is what stands behind the last @ of a folded address.
func Domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// Matches reports whether an address is the one that is looked for, which is an address
// or, beginning with an @, a domain.
func Matches(looked, address string) bool {
	looked, address = Fold(looked), Fold(address)
	if domain, ok := strings.CutPrefix(looked, "@"); ok {
		return Domain(address) == domain
	}
	return address == looked
}

package mailindex

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

// secretLife is how long the key is used without a look into Redis. It must end: a Redis
// that has lost its data gets the key back from whoever still has it.
const secretLife = time.Minute

// A keyring holds the installation's key, made by whoever comes first.
type keyring struct {
	mu      sync.Mutex
	secret  string // empty: not known yet
	checked time.Time
	tenants map[string]*printer
}

// mostPrinters bounds the tenants whose derived keys are in memory.
const mostPrinters = 10_000

// A Question for the key, to be read after the batch ran.
type Question struct {
	index *Index
	call  *lua.Call
}

// Known reports whether the key is known, so that mails can be added.
func (x *Index) Known() bool {
	x.keys.mu.Lock()
	defer x.keys.mu.Unlock()
	return x.keys.secret != ""
}

// Derive is a key for a purpose of its own, made of the installation's; nil while that is
// not known.
func (x *Index) Derive(purpose string) []byte {
	x.keys.mu.Lock()
	defer x.keys.mu.Unlock()
	if x.keys.secret == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(x.keys.secret))
	mac.Write([]byte("rohrpost key for " + purpose)) // never fails
	return mac.Sum(nil)
}

// Ask appends to a batch the question for the key, unless it was asked a moment ago.
func (x *Index) Ask(b *lua.Batch) Question {
	now := x.now()
	x.keys.mu.Lock()
	defer x.keys.mu.Unlock()
	if now.Sub(x.keys.checked) < secretLife {
		return Question{}
	}
	candidate := x.keys.secret
	if candidate == "" {
		candidate = rand.Text()
	}
	b.Command("SET", secretKey, candidate, "NX")
	return Question{x, b.Command("GET", secretKey)}
}

// Learn reads the answer. After a refusal of Redis nothing is indexed for a moment, and
// the key is asked for again.
func (q Question) Learn() {
	if q.index == nil {
		return
	}
	secret, err := q.call.Text()
	if _, answered := errors.AsType[redis.Error](err); err != nil && !answered {
		return
	}
	keys := &q.index.keys
	keys.mu.Lock()
	defer keys.mu.Unlock()
	keys.checked = q.index.now()
	if err == nil && secret != keys.secret {
		keys.secret, keys.tenants = secret, map[string]*printer{}
	}
}

// printer makes the fingerprints of a tenant; nil while the key is not known.
func (x *Index) printer(tenant string) *printer {
	x.keys.mu.Lock()
	defer x.keys.mu.Unlock()
	if x.keys.secret == "" {
		return nil
	}
	p := x.keys.tenants[tenant]
	if p == nil {
		if len(x.keys.tenants) >= mostPrinters {
			clear(x.keys.tenants)
		}
		p = newPrinter(x.keys.secret, tenant)
		x.keys.tenants[tenant] = p
	}
	return p
}

package e2e

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A dump is what a program has left in Redis, and what there is to know of it.
type dump struct {
	Program string     `json:"program"`
	Key     string     `json:"key"` // the age identity for its secrets
	Mails   []leftMail `json:"mails"`
	keys    []leftKey
}

// A leftMail is a mail in a dump.
type leftMail struct {
	ID        string `json:"id"`
	Tenant    string `json:"tenant"`
	MessageID string `json:"message_id"`
	State     string `json:"state"`
}

// A leftKey is a key of Redis, as DUMP writes it.
type leftKey struct {
	Key   string        `json:"key"`
	Left  time.Duration `json:"left,omitempty"` // until it ends; 0: it stays
	Value []byte        `json:"value"`
}

// ofProcesses are keys by which running processes speak of themselves.
func ofProcesses(key string) bool {
	return strings.HasPrefix(key, "asynq:servers") || strings.HasPrefix(key, "asynq:workers")
}

// readKeys adds what is in Redis.
func (d *dump) readKeys(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if ofProcesses(key) {
			continue
		}
		value, err := rdb.Dump(t.Context(), key).Result()
		if errors.Is(err, redis.Nil) {
			continue // it has just ended
		}
		if err != nil {
			t.Fatal(err)
		}
		left := max(0, rdb.PTTL(t.Context(), key).Val())
		d.keys = append(d.keys, leftKey{key, left, []byte(value)})
	}
}

// restore writes the keys into an empty Redis.
func (d *dump) restore(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	for _, k := range d.keys {
		if err := rdb.Restore(t.Context(), k.Key, k.Left, string(k.Value)).Err(); err != nil {
			t.Fatalf("%s: %v", k.Key, err)
		}
	}
}

func dumpFile(name string) string { return filepath.Join("testdata", name+".json.gz") }

// save writes the dump: a line about it, then a line a key.
func (d *dump) save(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(dumpFile(name))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewEncoder(packed)
	err = lines.Encode(d)
	for _, k := range d.keys {
		err = errors.Join(err, lines.Encode(k))
	}
	if err := errors.Join(err, packed.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// loadDump reads what save has written.
func loadDump(t *testing.T, name string) *dump {
	t.Helper()
	f, err := os.Open(dumpFile(name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	packed, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	d, lines := &dump{}, json.NewDecoder(packed)
	for err = lines.Decode(d); err == nil; {
		var k leftKey
		if err = lines.Decode(&k); err == nil {
			d.keys = append(d.keys, k)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return d
}

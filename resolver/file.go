package resolver

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rohrpost/rohrpost"
)

const (
	pollEvery = time.Second
	maxFile   = 64 << 20
	maxNamed  = 512 << 10 // far above every password and logo, below what a device gives
)

// A File is a Store in a YAML file. Looking up is two map accesses on a copy in
// memory, without locks.
//
// Passwords are read together with the file. A password_file that cannot be
// read is no error: it makes its account unusable until the file is there, and
// is one of the Warnings.
type File struct {
	path string
	now  atomic.Pointer[snapshot]

	mu     sync.Mutex // of reloading
	stamps map[string]stamp
}

var _ Store = (*File)(nil)

// LoadFile reads an accounts file. Unknown keys and wrong values are errors,
// one *LineError each, joined. Relative password_file paths start at the
// folder of the file.
func LoadFile(path string) (*File, error) {
	f := &File{path: path}
	if err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Accounts implements Store; it never fails.
func (f *File) Accounts(_ context.Context, tenant, user string) (Candidates, error) {
	s := f.now.Load()
	var c Candidates
	if s.platform != nil {
		c.Platform, c.PlatformAdmin = s.platform.account, s.platform.entry.AdminAddress
	}
	t := s.tenants[tenant]
	if t == nil {
		return c, nil
	}
	c.Tenant, c.TenantAdmin = t.account, t.entry.AdminAddress
	if t.entry.Order != nil {
		c.Order = *t.entry.Order
	}
	c.Branding = t.look
	if u := t.users[user]; u != nil {
		c.User = u.account
		c.Person = rohrpost.User{ID: user, FirstName: u.entry.FirstName, LastName: u.entry.LastName}
		if u.account != nil {
			c.Person.Address = u.account.Address
		}
	}
	return c, nil
}

// Warnings are what the accounts in force advise against, each with file and
// line.
func (f *File) Warnings() []string { return slices.Clone(f.now.Load().warnings) }

// Reload reads the file again. After an error the accounts stay as they were.
func (f *File) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	stamps := map[string]stamp{f.path: stampOf(f.path)}
	s, err := f.read(stamps)
	f.stamps = stamps // after an error too: it is reported once, not each second
	if err != nil {
		return err
	}
	f.now.Store(s)
	return nil
}

// read parses the file and notes what it has looked at in stamps.
func (f *File) read(stamps map[string]stamp) (*snapshot, error) {
	b, err := readLimited(f.path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("accounts file: %w", err)
	}
	read := InFolder(filepath.Dir(f.path))
	return parse(f.path, b, func(name string) ([]byte, error) {
		path := within(filepath.Dir(f.path), name)
		stamps[path] = stampOf(path)
		return read(name)
	})
}

// InFolder reads files whose relative names start at a folder, for
// [Entry.ReadFiles].
func InFolder(folder string) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) { return readLimited(within(folder, name), maxNamed) }
}

func within(folder, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(folder, name)
}

func readLimited(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a regular file of at most %d KiB", name, limit>>10)
	}
	return os.ReadFile(name)
}

// Watch reloads the file whenever it or one of its password files changes, and
// tells report how it went (nil: reloaded). A change is seen within a second.
// Watch returns when ctx ends.
func (f *File) Watch(ctx context.Context, report func(error)) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if f.changed() {
				report(f.Reload())
			}
		}
	}
}

func (f *File) changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, old := range f.stamps {
		if !old.same(stampOf(name)) {
			return true
		}
	}
	return false
}

// A stamp tells one state of a file from another; nil is no file.
type stamp struct{ info os.FileInfo }

func stampOf(name string) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info}
}

func (s stamp) same(t stamp) bool {
	if s.info == nil || t.info == nil {
		return s.info == t.info
	}
	// The identity too: a replaced file can have the old time and size.
	return s.info.ModTime().Equal(t.info.ModTime()) && s.info.Size() == t.info.Size() && os.SameFile(s.info, t.info)
}

// All are the accounts in force.
func (f *File) All() []*Account {
	var all []*Account
	for p := range f.Entries() {
		c, _ := f.Accounts(context.Background(), p.Tenant, p.User)
		if a := c.at(p.Level()); a != nil {
			all = append(all, a)
		}
	}
	return all
}

// Entries are the entries of the file, with their secrets read: the platform's,
// then each tenant's before those of its users.
func (f *File) Entries() iter.Seq2[Place, *Entry] {
	return func(yield func(Place, *Entry) bool) {
		s := f.now.Load()
		if s.platform != nil && !yield(Place{}, s.platform.entry) {
			return
		}
		for _, id := range slices.Sorted(maps.Keys(s.tenants)) {
			t := s.tenants[id]
			if !yield(Place{Tenant: id}, t.entry) {
				return
			}
			for _, user := range slices.Sorted(maps.Keys(t.users)) {
				if !yield(Place{Tenant: id, User: user}, t.users[user].entry) {
					return
				}
			}
		}
	}
}

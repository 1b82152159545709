package blob_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestProlong(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	store := blob.New(rdb)
	var set blob.Set
	soon := time.Now().Add(time.Hour)
	one, two := set.Add([]byte("one"), "job", soon), set.Add([]byte("two"), "job", soon)
	if err := store.Put(t.Context(), &set); err != nil {
		t.Fatal(err)
	}
	left := func(digest string) time.Duration {
		return rdb.PTTL(t.Context(), "rohrpost:blob:{"+digest+"}").Val().Round(time.Minute)
	}
	if err := store.Prolong(t.Context(), "job", time.Now().Add(48*time.Hour), one); err != nil {
		t.Fatal(err)
	}
	if left(one) != 48*time.Hour || left(two) != time.Hour {
		t.Errorf("%v, %v", left(one), left(two))
	}
	if err := store.Prolong(t.Context(), "job", time.Now().Add(time.Minute), one); err != nil || left(one) != 48*time.Hour {
		t.Errorf("its end has moved closer: %v, %v", left(one), err)
	}
	if err := store.Prolong(t.Context(), "job", soon); err != nil {
		t.Errorf("nothing to prolong: %v", err)
	}
	if err := store.Prolong(t.Context(), "job", soon, two, blob.Digest([]byte("three"))); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("one that is gone: %v", err)
	}
	_ = rdb.Close()
	if err := store.Prolong(t.Context(), "job", soon, one); err == nil || errors.Is(err, blob.ErrMissing) {
		t.Errorf("without Redis: %v", err)
	}
}

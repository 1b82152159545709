package backlog

import (
	"fmt"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestFree moves all mails that wait for settings into the backlog, each once.
func TestFree(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	const mails = 2*freePage + 1
	for n := range mails {
		h.must(h.WaitForSettings(t.Context(), acme, ParseMember(fmt.Sprintf("default/%d", n))))
		h.must(h.WaitForSettings(t.Context(), acme, ParseMember(fmt.Sprintf("default/%d", n)))) // it failed again
	}
	h.must(h.WaitForSettings(t.Context(), "tenant/other", ParseMember("default/other")))
	for _, want := range []int{mails, 0} {
		freed, err := h.Free(t.Context(), acme)
		h.must(err)
		if freed != want {
			t.Errorf("%d freed, want %d", freed, want)
		}
	}
	if in, ok := h.dueIn(); !ok || in > 0 {
		t.Errorf("looked at in %v, %v", in, ok)
	}
	if got := len(h.receives(mails + 1).Mails); got != mails {
		t.Errorf("%d in the backlog", got)
	}
}

// TestFreeRefused: mails that Redis does not take into the backlog stay remembered.
func TestFreeRefused(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	h.must(h.WaitForSettings(t.Context(), acme, ParseMember("default/1")))
	h.must(h.rdb.Set(t.Context(), Key(acme), "damaged", 0).Err())
	if _, err := h.Free(t.Context(), acme); err == nil {
		t.Error("no error")
	}
	if n := h.rdb.ZCard(t.Context(), settingsKey(acme)).Val(); n != 1 {
		t.Errorf("%d are remembered", n)
	}
}

// TestSettingsAreBounded: the latest are kept, and nothing for ever.
func TestSettingsAreBounded(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	for n := range mostSettings + 5 {
		h.must(h.WaitForSettings(t.Context(), acme, ParseMember(fmt.Sprintf("default/%d", n))))
	}
	if n := h.rdb.ZCard(t.Context(), settingsKey(acme)).Val(); n != mostSettings {
		t.Errorf("%d are kept", n)
	}
	if ttl := h.rdb.TTL(t.Context(), settingsKey(acme)).Val(); ttl <= 0 {
		t.Errorf("kept for %v", ttl)
	}
}

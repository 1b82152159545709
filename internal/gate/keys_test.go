package gate_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/gate"
)

func TestRoomKeys(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"platform", "tenant/acme", "tenant/a}:b", "tenant/{a}", "ü/:"} {
		if got := gate.ParseRoomKey(gate.RoomKey(id)); got != id {
			t.Errorf("room of %q: %q", id, got)
		}
	}
}

package problempages

import (
	"strings"
	"testing"
	"time"
)

func TestFileName(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.FixedZone("", 3600))
	for tenant, want := range map[string]string{
		"acme": "acme", "Müller & Söhne": "M-ller---S-hne", "../../etc/passwd": "------etc-passwd", "a\"\r\nX: y": "a---X--y",
		strings.Repeat("a", 200): strings.Repeat("a", 64),
	} {
		if got := fileName(tenant, at, ".csv"); got != "rohrpost-errors-"+want+"-20260102T140405Z.csv" {
			t.Errorf("%q: %s", tenant, got)
		}
	}
}

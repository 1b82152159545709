package browser

import (
	"strings"
	"sync/atomic"
	"testing"
)

// canary leaves every place of a page in which a text can stand, and is seen then.
const canary = `"'></title></textarea></style></script><x-canary></x-canary><img src=/canary><svg onload=alert(1)>{{.}}`

// TestCanaries: what applications, mail servers and tenants bring is text on every page:
// none becomes markup, and nothing runs.
func TestCanaries(t *testing.T) {
	t.Parallel()
	s := newWorld(t, canary)
	var told atomic.Int64
	t.Run("pages", func(t *testing.T) {
		for _, who := range visitors() {
			t.Run(who.name, func(t *testing.T) {
				t.Parallel()
				s.each(t, who, "de", func(t *testing.T, b *tab, v view) {
					v.arrive(s, b)
					if n := evaluate[int](b, `document.querySelectorAll("x-canary, img[src='/canary'], [onload]").length`); n > 0 {
						t.Errorf("%d elements of the canary are on the page", n)
					}
					if strings.Contains(evaluate[string](b, "document.documentElement.textContent"), "<x-canary>") {
						told.Add(1)
					}
				})
			})
		}
	})
	const least = 20 // pages that show a text from elsewhere
	if told.Load() < least {
		t.Errorf("only %d pages show the canary at all", told.Load())
	}
}

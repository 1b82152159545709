package browser

import (
	"strings"
	"testing"
)

// canary leaves every place of a page in which a text can stand, and is seen then.
const canary = `"'></title></textarea></style></script><x-canary></x-canary><img src=/canary><svg onload=alert(1)>{{.}}`

// TestCanaries: what applications, mail servers and tenants bring is text on every page:
// none becomes markup, and nothing runs.
func TestCanaries(t *testing.T) {
	s := newWorld(t, canary)
	told := 0
	for _, v := range views() {
		t.Run(v.who.name+" "+v.path, func(t *testing.T) {
			b := s.open(t, v.who)
			v.arrive(s, b)
			if n := evaluate[int](b, `document.querySelectorAll("x-canary, img[src='/canary'], [onload]").length`); n > 0 {
				t.Errorf("%d elements of the canary are on the page", n)
			}
			if strings.Contains(evaluate[string](b, "document.documentElement.textContent"), "<x-canary>") {
				told++
			}
		})
	}
	if told < 3 {
		t.Errorf("only %d pages show the canary at all", told)
	}
}

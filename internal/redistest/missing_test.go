package redistest_test

import (
	"runtime"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// verdict is a test that notes how it ends.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Fatal(...any) { v.said = "fatal"; runtime.Goexit() }
func (v *verdict) Skip(...any)  { v.said = "skip"; runtime.Goexit() }

func TestServerIsMissing(t *testing.T) {
	for ci, want := range map[string]string{"": "skip", "true": "fatal"} {
		t.Run(want, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			t.Setenv("CI", ci)
			v := &verdict{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				redistest.Start(v)
			}()
			<-done
			if v.said != want {
				t.Errorf("it says %q, want %q", v.said, want)
			}
		})
	}
}

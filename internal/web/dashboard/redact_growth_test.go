package dashboard

import (
	"encoding/json"
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// TestMaskingIsLinear: an answer of the dashboard costs as much as it is long.
func TestMaskingIsLinear(t *testing.T) {
	for _, s := range growthtest.Shapes() {
		t.Run(s.Name, func(t *testing.T) {
			growthtest.Linear(t, 128<<10, func(size int) func() {
				body, err := json.Marshal(s.Make(size))
				if err != nil {
					t.Fatal(err)
				}
				return func() { masked(body) }
			})
		})
	}
}

package fields_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/fields"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	a, b := &rohrpost.FieldError{Field: "a", Problem: "is missing"}, &rohrpost.FieldError{Field: "b", Problem: "is missing"}
	got := fields.Errors(errors.Join(fmt.Errorf("wrapped: %w", a), errors.New("of no field"), errors.Join(b)))
	if len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("%v", got)
	}
	if got := fields.Errors(nil); got != nil {
		t.Errorf("of no error: %v", got)
	}
}

// Package fields finds what an error says about fields.
package fields

import (
	"errors"

	"github.com/rohrpost/rohrpost"
)

// Errors are the field errors that are joined in an error, in its order.
func Errors(err error) []*rohrpost.FieldError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*rohrpost.FieldError
		for _, e := range joined.Unwrap() {
			all = append(all, Errors(e)...)
		}
		return all
	}
	if f, ok := errors.AsType[*rohrpost.FieldError](err); ok {
		return append([]*rohrpost.FieldError(nil), f)
	}
	return nil
}

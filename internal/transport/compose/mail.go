package compose

import "context"

// Both composes the mail for servers without SMTPUTF8, and for those with it where that
// is another one: where the header has an address that is not ASCII before the @. Of a
// sender with such an address there is the second alone. The errors are those of Compose.
func Both(ctx context.Context, in Input) (body, utf8 []byte, err error) {
	some, sender := needsUTF8(&in)
	if some {
		with := in
		with.UTF8 = true
		if utf8, err = Compose(ctx, with); err != nil || sender {
			return nil, utf8, err
		}
	}
	body, err = Compose(ctx, in)
	return body, utf8, err
}

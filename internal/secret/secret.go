package secret

import "github.com/rohrpost/rohrpost"

// A String is a secret. However it is printed, logged or marshaled, it reads
// "[redacted]"; only Reveal gives the value. Applications know it by its own name.
type String = rohrpost.Secret

// New wraps a secret.
func New(value string) String { return rohrpost.NewSecret(value) }

// Package presence lists the worker processes that live: each says every few seconds
// that it does, and what it is. One that ends leaves the list; one that was killed is
// shown as silent for ten minutes, and is then forgotten.
package presence

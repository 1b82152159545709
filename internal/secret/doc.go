// Package secret keeps passwords out of everything that is printed.
//
// A [String] holds a secret in a closure: code that prints, logs or marshals it,
// or a struct around it, gets "[redacted]" or a bare address, never the value.
// That covers fmt with every verb (also for unexported fields, where fmt cannot
// call methods), JSON, YAML, XML, slog, zerolog, templates and go-cmp.
// Only Reveal gives the value, so that a search for Reveal finds every use.
package secret

// Package failure is the one place that reads reply codes and errors.
//
// A transport that fails hands over a [Cause]: how far it came, the server's
// reply or the Go error. [Classify] answers with a [Failure]: its category
// (what it is called in log and metrics), its class (who acts, and whether to
// try again), the pause, a scrubbed diagnostic, and the rule that picks the
// hint for the administrator in English or German. [Failure.Scope] says who
// waits besides this mail, [Failure.NeedsPerson] whether waiting can help.
//
// The rules are data: rules.yaml. They are asked in a fixed order: Go error,
// API code, provider, text, enhanced code (RFC 3463), reply code, first digit.
// Texts go before codes because half of the codes mean something else at one
// provider or another. Unknown means temporary, except 5yz (RFC 5321 §4.2.1).
package failure

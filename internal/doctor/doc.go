// Package doctor says what ails an account's mail server, for people.
//
// It has the transport go through everything that comes before a mail, and turns
// what that finds into a [Report]: each step with its time, a verdict, a sentence
// and what to do, in English or German. The hints are those of the failure
// rules; advice.yaml adds what only the server's name or a setting tells, and
// warns of what still works: a certificate that ends soon, a password where the
// provider wants OAuth2, no encryption.
//
// A report has categories and reply codes, but no text of a foreign server and
// no address that a name resolves to, unless an operator asks. A [Limiter] keeps
// it from being used as a scanner. It knows nothing of how accounts are stored.
package doctor

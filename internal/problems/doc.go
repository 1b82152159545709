// Package problems says what keeps mails from leaving: one [Problem] per cause, and per
// account or recipients that it concerns.
//
// It reads the error log, where each failed attempt stands alone, and groups it. The
// ledger tells what has become of each mail since, so that a problem that is over looks
// over. What an account waits for is told by the circuit breaker and the backlogs: such
// an account is a problem even when no attempt has failed (see [Service.Waiting]).
//
// Nobody reads here what belongs to another tenant. Of the platform's account, through
// which many tenants send, a tenant learns that it waits and until when, and neither how
// many mails nor what its server has said of them.
package problems

// Package quota counts what waits for each tenant, mails and bytes, so that no tenant
// can fill Redis for the others.
//
// A mail counts from the moment it is accepted until it has ended, and while it is held
// as uncertain. The producer adds to the [Counter], workers give back in sums
// ([Returns]). A tenant that is far below its limits is only counted, in the pipeline
// that enqueues its mails; one that is near them, or of which nothing is known, is
// asked for first ([Counter.Ask]), and what that refuses was never enqueued.
//
// The counters are in another slot of a Cluster than the mails, so a process that dies,
// or a reply that is lost, leaves them wrong. The truth is in the ledger's records: the
// worker's reconciler goes through all of them, and a [Census] corrects the counters.
package quota

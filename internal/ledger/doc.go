// Package ledger says what has happened to a job, per recipient, in Redis.
//
// A job has one hash. The producer opens it with Reserve, in the pipeline that
// enqueues the task. Before the final dot a worker arms the job: the ledger
// notes which recipients are about to get the mail, unless the job was canceled,
// finished or changed since the worker looked. After the reply it settles: the
// notes become verdicts. A note that is found by a later attempt means that
// nobody knows whether the server took the mail: its recipients are uncertain.
//
// An accepted mail costs two round trips, Arm and Settle. A worker reads the
// record (Load) only when the job is not new to it: Arm refuses with ErrStale
// when it was wrong about that.
//
// Each write names the revision of the record that it is based on. When the record
// has moved on, because somebody canceled or another attempt at the same task was
// faster, the ledger answers ErrStale and keeps what it has: read it, decide anew.
// One thing is written all the same: that a server has accepted the mail.
//
// What a recipient was accepted for is never taken back by a later write, and a
// job whose end is recorded is never sent again, whatever the queue does. Only a
// person can Reopen it, for those who have not got the mail.
//
// A settlement may carry an event: the history of the job. An accepted mail has none
// to write, so that it costs nothing.
package ledger

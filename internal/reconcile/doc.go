// Package reconcile checks whether every accepted mail is in exactly one place.
//
// What a mail is stands in four kinds of keys: the ledger's record, asynq's task,
// the backlog of an account, blobs. No script sees two of them at once, for on a
// Cluster they are on different nodes. [Reconciler.Check] walks over all of them in
// pages, compares, and hands out a [Finding] for whatever does not fit.
//
// Things move while it looks. A first, cheap look only makes a mail suspect; a
// second one, after a pause, reads its tasks in one script each and then its
// record. A finding is what is wrong then, while record and task are the ones of
// the first look: whatever moves is in order, or will be looked at the next time.
//
// [Reconciler.Repair] mends what can be mended without a question, under the
// condition that the task still is as it was found. That a mail is sent twice is
// prevented by the ledger, not here. [Reconciler.Lost] lists the mails that only
// their senders can bring back.
package reconcile

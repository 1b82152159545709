// Package mailindex finds the mails of a tenant: by time, state, recipient or domain of
// one, and user. It also counts, by tenant and hour, what was enqueued and how mails went
// on, and that for all tenants together, too. And it knows the tenants that have sent.
//
// The truth about a mail is its record in the ledger. The index only says which records
// to read, so a reader compares each of them with what it looks for.
//
// The journal has every mail. Send appends an [Entry] of some 50 bytes to the block of the
// tenant and the hour, in the pipeline that enqueues: one command. A reader takes a block
// in large pieces from its end, and compares fingerprints: a million entries take less
// than a tenth of a second.
//
// The notes have what there is something to say about: mails that are scheduled, wait,
// have failed, or have ended otherwise than by being accepted at once. Workers gather what
// they settle ([Gatherer]) and write it in sums, so that an accepted mail costs Redis
// nothing here. A worker that is killed loses a moment of it; its reconciler, which reads
// all records, writes the notes anew.
//
// A block ends when the records of its mails do, [Slack] and the ledger's keep after its
// hour. Mails that live longer are in the notes, each until its own record ends.
//
// Recipients, domains and users stand in the index as the first 32 bits of an HMAC under a
// key of the installation and the tenant (docs/decisions/0023-the-index-of-mails.md).
package mailindex

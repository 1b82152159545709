package reconcile

// mends is the remedy of what can be repaired.
const mends = "rohrpost queue check --repair, or the next sweep of a worker"

// words are what is said of a kind.
func words(kind Kind) Finding {
	f := Finding{Kind: kind, Remedy: mends}
	switch kind {
	case Lost:
		f.Detail = "the ledger says that it is on its way, but its task, which has the mail, is gone"
		f.Remedy = "send it again under the same id; a worker's sweep notes it as failed"
	case InDoubt:
		f.Detail = "the ledger says that it is on its way, and its task is not there (yet)"
		f.Remedy = "check again in some minutes: by then it is in its place, or lost"
	case Orphaned:
		f.Detail, f.Repairable = "its task is in none of the queue's sets: no worker takes it", true
	case Twice:
		f.Detail, f.Repairable = "its task is listed more than once", true
	case Mislabeled:
		f.Detail, f.Repairable = "its task is in another set than it says", true
	case Abandoned:
		f.Detail, f.Repairable = "the worker that had it is gone, and no other has brought it back: does a worker run?", true
	case Stopped:
		f.Detail = "its task is archived: nobody sends it"
		f.Remedy = "a worker's sweep notes it as failed; rohrpost retry sends it"
	case Unrecorded:
		f.Detail = "the ledger has no record of it: it is sent as if it was new, perhaps again"
		f.Remedy = "Delete it in the dashboard if it has been sent; a worker that takes it opens a record"
	case ContentGone:
		f.Remedy = "send it again as a new mail: this one cannot be composed, and fails"
	case Phantom:
		f.Detail, f.Harmless, f.Repairable = "a set of the queue has its id, but there is no mail behind it", true, true
	case Forgotten:
		f.Detail, f.Harmless, f.Repairable = "asynq's list of queues does not have it: the dashboard does not show it", true, true
	case Leftover:
		f.Detail, f.Harmless = "the mail has ended, and its task still waits", true
		f.Remedy = "nothing: it ends when its turn comes, and nothing is sent"
	case Foreign:
		f.Detail, f.Harmless = "no rohrpost producer wrote this task, or it is another tenant's: no worker sends it", true
		f.Remedy = "find out who enqueues it; Delete in the dashboard removes it"
	case StaleEntry:
		f.Detail, f.Harmless, f.Repairable = "the account's backlog has this mail, which does not wait", true, true
	case NotInBacklog:
		f.Detail, f.Harmless = "it waits for its account, but not in the account's backlog: it leaves up to an hour late", true
		f.Remedy = "nothing, or rohrpost retry once the account is free"
	case EndlessRecord:
		f.Detail, f.Harmless, f.Repairable = "its record has no end", true, true
	case EndlessBlob:
		f.Detail, f.Harmless = "has no end, and no mail refers to it", true
		f.Remedy = "let it end, unless somebody made it stay: redis-cli EXPIRE"
	}
	return f
}

// causeWords say how a mail was lost.
func causeWords(cause Cause) string {
	switch cause {
	case Deleted:
		return "another tool than rohrpost has deleted it (asynqmon elsewhere, asynq's own command, redis-cli), for Redis has run all the while"
	case Restarted:
		return "Redis has started again since then, and may have lost its last writes"
	}
	return "either another tool than rohrpost has deleted it (asynqmon elsewhere, asynq's own command, redis-cli), or Redis has lost it (a restart, a fail-over, a full memory)"
}

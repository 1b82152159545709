package reconcile

import (
	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// A Kind is what is wrong.
type Kind string

// What can be wrong with a mail that is on its way.
const (
	Lost        Kind = "lost"         // there is no task, or no mail in it: nobody has its content any more
	Orphaned    Kind = "orphaned"     // its task is in none of the queue's sets: nobody takes it
	Twice       Kind = "twice"        // its task is in two sets, or there are two tasks
	Mislabeled  Kind = "mislabeled"   // its task is in another set than it says
	Abandoned   Kind = "abandoned"    // its task was a worker's, who is gone, and nobody has brought it back
	Stopped     Kind = "stopped"      // its task is put aside: nobody sends it
	Unrecorded  Kind = "unrecorded"   // there is a task, but the ledger knows nothing of it
	ContentGone Kind = "content_gone" // an attachment or a large body is missing
)

// InDoubt is a mail that is not where it should be, and that has been touched so
// recently that it may be on its way there. It is neither wrong nor in order: a later
// check tells.
const InDoubt Kind = "in_doubt"

// What can be wrong otherwise.
const (
	Phantom       Kind = "phantom"             // a set has an id without a task
	Forgotten     Kind = "forgotten"           // a queue with tasks is not among asynq's queues
	Leftover      Kind = "leftover"            // the task of a mail that has ended
	Foreign       Kind = "foreign"             // a task that no rohrpost producer wrote, or another tenant's
	StaleEntry    Kind = "stale_backlog_entry" // an account's backlog has a mail that does not wait
	NotInBacklog  Kind = "not_in_backlog"      // a mail waits for its account outside its backlog: it comes late
	EndlessRecord Kind = "endless_record"      // a record that Redis would keep for ever
	EndlessBlob   Kind = "endless_blob"        // a blob that nobody refers to and Redis would keep for ever
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{
		Lost, Orphaned, Twice, Mislabeled, Abandoned, Stopped, Unrecorded, ContentGone, InDoubt,
		Phantom, Forgotten, Leftover, Foreign, StaleEntry, NotInBacklog, EndlessRecord, EndlessBlob,
	}
}

// A Cause is how a mail was lost, as far as Redis tells.
type Cause string

// The causes.
const (
	// Deleted: Redis has run all the while, so somebody has deleted the task.
	Deleted Cause = "deleted"
	// Restarted: Redis has started since then, and may have lost its last writes.
	Restarted Cause = "restarted"
	// Unclear: Redis does not tell, or there are several ways.
	Unclear Cause = "unclear"
)

// A Finding is one thing that is not as it should be. It names no recipient and
// nothing of the mail itself.
type Finding struct {
	Kind    Kind           `json:"kind"`
	Key     payload.Key    `json:"key,omitempty"` // the name of its task
	JobID   string         `json:"job_id,omitempty"`
	Tenant  string         `json:"tenant,omitempty"`
	Queue   string         `json:"queue,omitempty"`
	State   rohrpost.State `json:"state,omitempty"`   // of the ledger's record; empty: there is none
	Where   []string       `json:"where,omitempty"`   // the sets that have the task, as "retry"
	Account string         `json:"account,omitempty"` // the owner of the backlog
	Cause   Cause          `json:"cause,omitempty"`   // of what is Lost
	Detail  string         `json:"detail"`            // a sentence
	Remedy  string         `json:"remedy"`            // what to do, a sentence
	// Harmless: no mail is lost, stuck or sent twice by it.
	Harmless   bool `json:"harmless,omitempty"`
	Repairable bool `json:"repairable,omitempty"` // Repair mends it
}

// A Summary counts what a check has seen. What moved meanwhile is counted about.
type Summary struct {
	OnTheWay int                    `json:"on_the_way"` // mails that have not ended
	States   map[rohrpost.State]int `json:"states"`     // mails by the state of their record
	Tasks    int                    `json:"tasks"`
	Backlogs int                    `json:"backlogs"` // mails in the backlogs of accounts
	Findings map[Kind]int           `json:"findings"`
	Wrong    int                    `json:"wrong"` // findings that are neither harmless nor in doubt
	Harmless int                    `json:"harmless"`
	InDoubt  int                    `json:"in_doubt"` // mails of which a later check will tell
}

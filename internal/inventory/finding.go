package inventory

import "github.com/rohrpost/rohrpost"

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

// What can be wrong otherwise.
const (
	Phantom       Kind = "phantom"        // a set has an id without a task
	Forgotten     Kind = "forgotten"      // a queue with tasks is not among asynq's queues
	Leftover      Kind = "leftover"       // the task of a mail that has ended
	Foreign       Kind = "foreign"        // a task that no rohrpost producer wrote, or another tenant's
	StaleRoom     Kind = "stale_room"     // an account's room has a mail that does not wait
	NoRoom        Kind = "no_room"        // a mail waits for its account outside its room: it comes late
	EndlessRecord Kind = "endless_record" // a record that Redis would keep for ever
	EndlessBlob   Kind = "endless_blob"   // a blob that nobody refers to and Redis would keep for ever
)

// A Finding is one thing that is not as it should be. It names no recipient and
// nothing of the mail itself.
type Finding struct {
	Kind    Kind           `json:"kind"`
	Key     rohrpost.Key   `json:"key,omitempty"` // the name of its task
	JobID   string         `json:"job_id,omitempty"`
	Tenant  string         `json:"tenant,omitempty"`
	Queue   string         `json:"queue,omitempty"`
	State   rohrpost.State `json:"state,omitempty"`   // of the ledger's record; empty: there is none
	Where   []string       `json:"where,omitempty"`   // the sets that have the task, as "retry"
	Account string         `json:"account,omitempty"` // whose room it is about
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
	Rooms    int                    `json:"rooms"` // mails in the rooms of accounts
	Findings map[Kind]int           `json:"findings"`
	Wrong    int                    `json:"wrong"`    // findings that are not harmless
	Harmless int                    `json:"harmless"` // the others
}

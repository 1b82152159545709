package ledger

import (
	"strings"

	"github.com/rohrpost/rohrpost/internal/payload"
)

// tenantsKey is the set of tenants that have sent anything.
const tenantsKey = "rohrpost:tenants"

// RecordPattern matches the keys of all records.
const RecordPattern = recordPrefix + "*"

const recordPrefix = "rohrpost:job:{"

// RecordKey is the hash of a job: "rohrpost:job:{<id>}", and what else its key has. All
// records of an id are in one Cluster slot.
func RecordKey(key payload.Key) string {
	length := len(key.ID()) // as long as it stands in the key
	return recordPrefix + string(key[:length]) + "}" + string(key[length:])
}

// ParseRecordKey is the reverse of RecordKey.
func ParseRecordKey(key string) payload.Key {
	return payload.Key(strings.Replace(strings.TrimPrefix(key, recordPrefix), "}", "", 1))
}

// The fields of the hash, short because there are millions of them.
const (
	fieldTenant     = "t"
	fieldQueue      = "q"
	fieldMessageID  = "m"  // without "<" and the job's id, if it begins with them
	fieldNonce      = "n"  // of the Send that opened the record
	fieldWeight     = "b"  // bytes that the job counts while it waits; none: it is not counted
	fieldEnqueued   = "e"  // Unix ms
	fieldDue        = "d"  // Unix ms, if not the job's own
	fieldRecipients = "to" // addresses, one a line, in the order of Message.Recipients
	fieldMetadata   = "md" // JSON
	fieldState      = "s"
	fieldAttempts   = "a"
	fieldRevision   = "v"  // rises with every settlement
	fieldUpdated    = "u"  // Unix ms
	fieldNext       = "x"  // Unix ms of the next attempt
	fieldSending    = "sd" // "<token> <Unix ms> <indexes>": armed, not settled
	fieldTwice      = "tw" // "1": repeated although perhaps accepted
	fieldAccount    = "ac"
	fieldLevel      = "lv"
	fieldWhy        = "w"
	prefixRecipient = "r"  // r0, r1 …: "state|code|enhanced|diagnostic"
	prefixEvent     = "h"  // h0, h1 …: JSON
	fieldEvents     = "hn" // how many events there were
	fieldUser       = "us" // id of the person who caused the mail; none: nobody, or an older version
	fieldContent    = "f"  // what the sender has made of the content, to know it again; none: an older version, or an id that nobody chose
	fieldSubject    = "sj" // if it is kept (ledger.keep_subject), as the sender has written or sealed it
)

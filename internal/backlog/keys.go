package backlog

import (
	"strings"

	"github.com/rohrpost/rohrpost/internal/queue"
)

const (
	// Channel says by pub/sub that an account's backlog has a mail that may go: the
	// message is the account.
	Channel = "rohrpost:backlog:changed"

	// indexKey is a sorted set: account, by when a worker should look at its backlog
	// (Unix ms).
	indexKey = "rohrpost:backlog:index"

	// Pattern matches the keys of all backlogs.
	Pattern = "rohrpost:backlog:{*}:mails"
)

// accountKey is one of the keys of an account, all in one Cluster slot: a brace in
// its id does not end the hash tag, and no id has a percent sign before a 7.
func accountKey(account, name string) string {
	return "rohrpost:backlog:{" + escape(account) + "}:" + name
}

func escape(account string) string { return strings.ReplaceAll(account, "}", "%7D") }

// Key is the backlog of an account: a sorted set of mails, each as Member has it.
func Key(account string) string { return accountKey(account, "mails") }

// ParseKey is the reverse of Key.
func ParseKey(key string) (account string) {
	before, after, _ := strings.Cut(Pattern, "*")
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(key, before), after), "%7D", "}")
}

// keys are the backlog of an account, its rates and its mails in flight, as in
// account.lua.
func keys(account string) []string {
	return []string{Key(account), accountKey(account, "rates"), accountKey(account, "inflight")}
}

// settingsKey is a sorted set of the mails that wait for new settings of the account,
// by when they failed (Unix ms).
func settingsKey(account string) string { return accountKey(account, "settings") }

// Member is how a backlog names a mail.
func Member(m queue.Ref) string { return m.Queue + "/" + m.ID }

// ParseMember is the reverse of Member.
func ParseMember(s string) queue.Ref {
	name, id, _ := strings.Cut(s, "/")
	return queue.Ref{Queue: name, ID: id}
}

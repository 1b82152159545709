package gate

import "strings"

const (
	// NoticesKey is a hash: subject to a Notice as JSON.
	NoticesKey = "rohrpost:gate:notices"
	changed    = "rohrpost:gate:changed" // pub/sub: one of the two below

	roomsKey = "rohrpost:gate:rooms" // sorted set: account, by when somebody should look at its room (Unix ms)

	processesKey = "rohrpost:gate:processes" // sorted set: process, by when it was heard (Unix ms)

	noticeEvent = "notice " // and a subject: its notice has come or gone
	roomEvent   = "room "   // and an account: a mail waits in its room
)

// probeKey is held by the mail that finds out whether a subject works again.
func probeKey(subject string) string { return "rohrpost:gate:probe:{" + subject + "}" }

// accountKey is one of the keys of an account, all in one Cluster slot: a brace in
// its id does not end the hash tag, and no id has a percent sign before a 7.
func accountKey(account, name string) string {
	return "rohrpost:gate:{" + strings.ReplaceAll(account, "}", "%7D") + "}:" + name
}

// RoomPattern matches the keys of all rooms.
const RoomPattern = "rohrpost:gate:{*}:room"

// RoomKey is a room: a sorted set of mails, each as Mail.String has it.
func RoomKey(account string) string { return accountKey(account, "room") }

// ParseRoomKey is the reverse of RoomKey.
func ParseRoomKey(key string) (account string) {
	before, after, _ := strings.Cut(RoomPattern, "*")
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(key, before), after), "%7D", "}")
}

// roomKeys are the room of an account, its rates and its mails under way, as in
// account.lua.
func roomKeys(account string) []string {
	return []string{RoomKey(account), accountKey(account, "rate"), accountKey(account, "held")}
}

// leaseKeys are the leases of an account's connections and the login that has
// worked, as in lease_take.lua.
func leaseKeys(account string) []string {
	return []string{accountKey(account, "connections"), accountKey(account, "proven")}
}

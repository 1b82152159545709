// Package errorlog is the rolling log of failed attempts.
//
// Whoever sees an attempt fail calls [Log.Append] with an [Entry]. The log holds
// it for 24 hours ([Options.Retention]) and then forgets it: on the next write, on
// the next read, and by the TTL of its keys when a tenant falls silent.
//
// Each tenant has a Redis stream of its own, so that one tenant's log neither
// shows nor pushes out another one's. Entries are in the order of their time;
// where the clocks of workers differ, in the order of arrival.
//
// [Log.Query] reads, [Log.Follow] waits for more, and [Log.Export] writes the whole
// log as a file, however long it is, in constant memory: JSON lines for programs,
// CSV for spreadsheets, text for people.
//
// Recipients are masked before they are stored, also in what the server said. They
// can still be searched for: an HMAC under a key of the installation stands
// beside each. Metadata is the application's own and stored as it came.
package errorlog

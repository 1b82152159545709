// Package systempages shows operators the whole: workers, queues, backlogs and Redis,
// whether every mail is in its place, and what operators have done.
//
//	pages.go     the addresses, and the sections of the area
//	overview.go  /system: how the whole stands
//	holds.go     pausing a queue
//	check.go     /system/check: comparing the ledger with the queues, and repairs
//	history.go   /system/history: what operators have done
//	texts*.go    the words
package systempages

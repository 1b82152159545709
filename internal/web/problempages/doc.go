// Package problempages are the pages that say how it stands: the overview, the problems
// grouped by cause, and the log of failed attempts with its downloads.
//
//	pages.go     the addresses
//	overview.go  / and /t/{tenant}/
//	bars.go      the last 24 hours as a picture
//	groups.go    /problems and /t/{tenant}/problems
//	log.go       the same with ?view=log: attempt by attempt
//	question.go  what the parameters of the log and the downloads ask for
//	export.go    …/problems/export
//	turns.go     how many search the log at a time
//	texts.go     the words
package problempages

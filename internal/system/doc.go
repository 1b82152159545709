// Package system is what operators do to the whole: they pause queues ([Holds]), look at
// what waits for accounts ([Backlogs]), and compare the ledger with the queues ([Checks]).
// It knows nothing of pages.
package system

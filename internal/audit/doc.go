// Package audit writes down what operators do to mails and queues, on the dashboard
// and by the command line: who, when, what, and to how many.
//
// The line comes first. [Log.Begin] writes it before anything is done, and an act
// whose line cannot be written is not done. [Entry.Done] puts the outcome in its
// place. A line that is still [Begun] tells of an act that was interrupted, or is
// under way.
//
// A line names mails by tenant and id, the first few of them. No recipient, no
// subject and nothing of a body is in it.
package audit

// Package dispatch decides which mails a worker process sends next.
//
// A mail that wants to leave asks [Dispatcher.Admit]. It gets a [Permit] if nothing
// blocks its account or server (package breaker), its account's rates allow it (package
// backlog), and the in-flight budgets of account, server and tenant have room for it in
// this process. Otherwise it waits in the backlog of its account, and [Dispatcher.Serve]
// receives it as soon as this process, or another one, has room.
package dispatch

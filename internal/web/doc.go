// Package web is what operators and administrators see in a browser.
//
//	server.go   the routes, and who may take them
//	login.go    who sends a request: a user, who has the link, who may open the socket
//	password.go HTTP Basic against the bcrypt users of the configuration
//	guesses.go  the pauses after wrong passwords
//	link.go     the link that lets in where there are no users
//	stamp.go    cookies that need no memory
//	client.go   where a request comes from, behind proxies
//	guard.go    what every request passes: panics, access log, headers, origin
//	probe.go    /healthz, /readyz and /metrics, also for a worker without pages
//	errors.go   /errors: what failed in the last 24 hours
//	export.go   /errors/export: the full log as a download
//	turns.go    how many search the log at a time
//	queues.go   /queues/: asynqmon, which only reads, hardened and with mails redacted
//	front.go    its page, as it is served here
//	deed.go     what its buttons ask for
//	acts.go     how that is done through the ledger, refused, and written down
//	start.go    what the start page tells of paused queues
//	page.go     templates, texts in German and English
//
// A person has one of three roles. An operator sees all tenants and may act on
// the queues; an admin and a reader see and download the errors of one tenant.
// Without users in the configuration there is an operator alone: who has the link
// that is printed at the start, or may open the unix socket.
// The pages work without JavaScript, but for asynqmon's.
package web

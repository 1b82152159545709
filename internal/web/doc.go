// Package web is what operators and administrators see in a browser.
//
//	server.go   the pages, and who may take them
//	options.go  what they are made of
//	wiring.go   how they are put together, and their routes
//	refuse.go   what is said to somebody who is not known
//	below.go    the path below which the pages stand
//	guard.go    what every request passes: panics, access log, headers, origin
//	probe.go    /healthz, /readyz and /metrics, also for a worker without pages
//	accounts.go /api/accounts/: JSON
//
// Below it, signin tells who sends a request, signinpages has the pages for that, ui
// renders, problempages say how it stands, accountpages is what people do about accounts,
// dashboard is asynqmon as operators may use it, and systempages shows them the whole.
//
// An operator sees all tenants and may act on the queues; an admin and a reader see the
// problems of one tenant, and download its log; a user has one account. Where operators cannot
// sign in there is one who has the link that is printed at the start, or may open the unix
// socket. The pages work without JavaScript, but for asynqmon's.
package web

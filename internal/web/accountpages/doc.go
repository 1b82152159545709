// Package accountpages is what people do about sender accounts in a browser.
//
//	pages.go     the routes
//	list.go      the accounts of a tenant, with their true state
//	account.go   one place: what is shown, and what its buttons do
//	form.go      the form of an account, to and from what is stored
//	field.go     one field of a form, with its label, hint and error
//	try.go       test mail and doctor, with unsaved settings too
//	connect.go   Microsoft 365 and Google, by OAuth2 in the person's own browser
//	history.go   who has changed what
//	explain.go   who would send a mail, and why
//	branding.go  a tenant's look, with a preview
//	settings.go  what else is a tenant's; asking for own servers
//	approvals.go what operators decide
//	tenants.go   the tenants, for operators
//	problem.go   errors as people read them
//
// Everything works without script; try.js and branding.js save a page load. Secrets go
// from a browser to the store, and never back.
package accountpages

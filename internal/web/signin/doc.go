// Package signin tells who sends a request to the pages, and signs people in.
//
//	person.go   who it is, and what they may
//	login.go    the ways in
//	session.go  who has signed in with a browser
//	password.go name and password, against the bcrypt users of the configuration
//	guesses.go  the pauses after wrong passwords
//	sso.go      the signed links of applications
//	provider.go the way to an OpenID Connect provider and back
//	forward.go  a proxy that names users in a header
//	link.go     the link that lets in where operators cannot sign in
//	cookies.go  how cookies are set
//	stamp.go    cookies that need no memory
//	client.go   where a request comes from, behind proxies
package signin

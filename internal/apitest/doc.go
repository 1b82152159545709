// Package apitest has scripted servers for tests: one that speaks Microsoft
// Graph's sendMail, one that speaks the Gmail API's upload. Left alone they are
// strict and friendly: they check the access token, take the mail apart and keep
// it. Each request can be answered otherwise: with any status and JSON, by cutting
// the connection, or not at all, before or after the mail was read.
//
//	srv := apitest.Graph(t, apitest.Options{})
//	srv.Once(apitest.GraphError(429, "ApplicationThrottled", "slow down").With("Retry-After", "30"))
//	srv.Once(apitest.Cut().Taking()) // the mail is taken, its 202 is lost
//	… send with srv.Client() to srv.URL() …
//	srv.Mails() // what was taken, and for whom
//
// Nothing here sleeps. The servers speak TLS with a certificate that only
// [Server.Client] trusts, and HTTP/2 unless they are told not to.
package apitest

// Package mails is what people ask about mails, and do to them: lists, one mail with all
// that happened to it, retry, cancel, put off, send to a corrected address, and the same
// for many at once.
//
// It knows nothing of HTTP: pages and an API stand on it. It checks nobody's rights; a
// caller names the tenant as whose the mails are looked for.
//
//	service.go   what it is made of
//	filter.go    which mails are meant
//	list.go      pages of mails, and how many there are
//	mail.go      one mail
//	timeline.go  what happened to it, in order
//	act.go       what a person does to a mail
//	bulk.go      the same to all that a filter picks
package mails

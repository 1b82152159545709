// Package mailpages shows a tenant's mails: a list with filters, one mail with all that
// happened to it, and what a person may do to one or to all that a filter picks.
//
//	pages.go   the addresses
//	list.go    the list
//	filter.go  the filter as it stands in an address
//	mail.go    one mail
//	act.go     what is done to it
//	bulk.go    the same to all that a filter picks, after a question
//	fault.go   why something was not done, in words
package mailpages

// Package notice writes to administrators when an account stops.
//
// A notice is a mail of the platform. It goes to the tenant's administrator when an
// account of the tenant or of one of its users needs a person: the login was refused, or
// settings, sender address or certificate are wrong. It goes there also when the provider
// has held its mails back, or its server could not be reached, for an hour. A shorter
// pause, which ends by itself, is no news. Notices of the platform's account, and of what only the operator can
// mend, go to the operators.
//
// Every worker process looks at the states of the breaker every few seconds, and at the
// book of each tenant in Redis if there is something new. The book says what was told.
// What is to be told is written there before the mail is enqueued, and the mail has an id
// that follows from it: however many processes look, and whenever one is killed, there
// is one mail.
//
// What stops within a minute is told in one mail, and what works again by then is not told.
// A tenant gets ten notices within 24 hours at most; what stops after that is told together
// when the next is due. The same cause of the same account is told again after a
// quarter of an hour at the earliest, and only if the account was released meanwhile. So
// there is no loop: a notice that cannot leave is no cause of its own.
//
//	fault.go     what has stopped, by who is told
//	book.go      what a tenant was told, and what it is told next
//	store.go     the books in Redis
//	notifier.go  looks, and sends
//	mail.go      the mail; words.go what it says in German and English
package notice

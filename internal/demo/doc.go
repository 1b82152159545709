// Package demo shows the whole way of a handful of mails, with nothing installed:
// Redis in memory, a mail server that catches everything, a worker, and the error
// log written to a file.
package demo

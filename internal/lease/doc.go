// Package lease limits the open connections of each account over all worker processes.
//
// A process takes a [Lease] before it opens a connection to an account's server, or
// sends a request to its API, and releases it afterwards. Until somebody has logged in
// with an account's settings there is one lease alone, so that a wrong password is
// tried once. Leases of a process that was killed are free again after four seconds.
package lease

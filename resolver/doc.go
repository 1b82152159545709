// Package resolver decides through which account a mail leaves, and
// what its From, Reply-To and reverse-path are.
//
// Accounts stand at three levels. For a mail that a person writes the user's
// account is asked first, then the tenant's, then the platform's; for a mail of
// a program the tenant's comes before the user's; marketing leaves through the
// platform's only. Within the chosen account a few rules make the addresses
// (see [Resolver.Resolve]). A [Sender] is the answer, with the reasons: why
// this account, and why none of the others.
//
// Where accounts are kept is a [Store]. [File] is one, a YAML file that is
// read anew when it changes; an application with its own database writes
// another and runs the suite of package resolvertest on it. A store is asked
// once per mail and answers from memory.
package resolver

// Package route takes a mail to where its account's mails leave: an SMTP server,
// Microsoft Graph, or the Gmail API, each with the account's tokens if it has
// OAuth2.
//
// There are two sets of connections. Accounts whose settings the operator wrote
// may reach every address; those that a tenant entered go through a guard that
// refuses the networks behind this system.
package route

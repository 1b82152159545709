// Package producer is what applications import to send mail.
//
//	mail, err := producer.Open("redis://127.0.0.1:6379/0")
//	…
//	defer mail.Close()
//	receipt, err := mail.Send(ctx, rohrpost.Message{
//		Tenant: "acme",
//		To:     []rohrpost.Address{{Address: "kunde@example.org"}},
//		Subject: "Ihre Rechnung", Text: "…",
//	}, producer.WithID("invoice-4711"))
//
// Send refuses at once what can be refused, with the name of the field. What it
// has accepted is in Redis, and from there it is never silently dropped: it ends
// accepted, failed, expired, canceled or uncertain, and Status says which.
//
// The id is the idempotency key of its tenant. Sending an id again, from whichever
// process, answers with the first receipt and sends nothing, for as long as the ledger
// remembers the job (48 hours after its end by default). If it comes with another content,
// another recipient say, the error is ErrConflict. Two tenants may use one id.
//
// ForTenant binds a client to a tenant: it sends for that one, and knows no other's
// mails. Give it to whatever acts for a tenant, with ids that come from outside. The
// client that Open makes is the operator's, who finds an id of any tenant.
//
// Cancel stops a mail before its final dot, Reschedule puts it off, Retry sends it
// again to those who have not got it; RetryAll does so for all mails of a tenant, an
// account or a category of failures.
//
// Package producertest has a recorder for the tests of applications.
package producer

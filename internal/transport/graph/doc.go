// Package graph sends through Microsoft Graph: POST /users/{address}/sendMail
// with the mail as base64 of its MIME text. An acceptance (202) means that the
// mail is in the mailbox's outbox; what goes wrong later comes as a bounce into
// its inbox. There is no id of the mail, only the one of the request.
//
// A request may have 4 MB, which is 3 MiB of mail. A larger one is refused here
// (message_too_large): the way over a draft and its upload needs a permission to
// read and write the whole mailbox. Such an account takes SMTP with XOAUTH2.
//
// Graph runs four requests of a mailbox at a time; workers share them. Package api
// does the work; the facts are from Microsoft's user-sendmail, outlook-send-mime
// and throttling pages.
package graph

// Package api hands a composed mail to a provider's interface over HTTP. What
// Microsoft Graph and the Gmail API do alike is here; packages graph and gmail
// say in a [Service] what each does in its own way.
//
// Such an interface takes the whole mail in one request and reads the recipients
// from its header, so [Readdress] first makes the header name exactly the
// recipients that are still open. All of them share one verdict.
//
// What a broken request means depends on how far it came. Before the last octet
// of the mail was handed over it is safe to repeat; after it, it is uncertain. No
// request is repeated on its own but one: a refused access token (401) is
// replaced once. Redirects are not followed, and nothing is sent without TLS.
package api

// Package gmail sends through the Gmail API: POST users/me/messages/send with
// the mail as it is (message/rfc822), over the upload path, so that mails of up
// to 35 MB need no base64url. An acceptance (200) names the mail's id.
//
// When a sending limit is reached Gmail says until when; that is obeyed. Package
// api does the work; the facts are from Google's pages on uploads, errors and
// usage limits of the Gmail API.
package gmail

// Package compose writes a message as RFC 5322 and MIME text, ready for a
// transport: CRLF line ends, at most 998 octets a line, 7-bit bodies, so that
// 8BITMIME never matters.
//
// Two laws hold, and TestLaw tries both with messages of all kinds. What
// Message.Validate accepts is composed: a recipient whose address the header cannot
// hold is left out of it and has a verdict of its own. And no octet above 127 stands in a
// header, unless the mail is for a server with SMTPUTF8 (Both).
//
// A value begins on the line of its field. Text is encoded where a reader would take it
// for something else, and white space stays as it was given; addresses, ids and links are
// written as what they are (package headerfield). Bodies are encoded by package
// transfer, straight into the result.
//
// Nothing a message says can make a header: names are restricted to letters,
// digits and hyphens, values and names lose no control character silently but
// are refused. Bcc recipients appear nowhere.
package compose

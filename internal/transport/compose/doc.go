// Package compose writes a message as RFC 5322 and MIME text, ready for a
// transport: CRLF line ends, at most 998 octets a line, 7-bit bodies, so that
// 8BITMIME never matters.
//
// go-mail lays out header and parts. The bodies are encoded here, straight into
// the result, because that is most of a worker's time: ASCII text stays as it
// is, other text is quoted-printable, files are base64.
//
// Nothing a message says can make a header: names are restricted to letters,
// digits and hyphens, values and names lose no control character silently but
// are refused. Bcc recipients appear nowhere.
package compose

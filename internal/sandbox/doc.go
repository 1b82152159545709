// Package sandbox is a mail server for trying things out: it accepts every mail,
// sends none on, and shows them in the browser. The commands demo and dev use it.
//
// The part before the @ of a recipient can ask for trouble:
//
//	refuse@…    550 5.1.1  no such user, for good
//	full@…      452 4.2.2  mailbox full, every time
//	defer@…     451 4.3.0  every time
//	defer-2@…   451 4.3.0  twice, then accepted (any number up to 9)
//	greylist@…  451 4.7.1  once, then accepted
//	spam@…      554 5.7.1  after the mail was sent
//
// Mails live in memory; the newest few hundred are kept.
package sandbox

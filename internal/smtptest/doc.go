// Package smtptest is a scripted SMTP server for tests. Left alone it is a
// strict and friendly server: it takes every mail and keeps it. At each [Stage]
// of a session it can be told to answer otherwise: with any reply, with raw
// bytes, by cutting the connection, or not at all.
//
//	srv := smtptest.Start(t, smtptest.Options{})
//	srv.On(smtptest.Recipient("full@example.org"), smtptest.Reply(452, "4.2.2 mailbox full"))
//	srv.Once(smtptest.Dot, smtptest.Cut().Taking()) // the first mail is taken, its 250 is lost
//	… send to srv.Addr() …
//	srv.Mails()            // what was taken
//	srv.Count(smtptest.MAIL) // how often the command came
//
// Nothing here sleeps. A silent stage waits until the client gives up or the
// server is closed; [Pipe] is a network in memory, on which timeouts of minutes
// pass at once inside testing/synctest. [NewAuthority] issues throw-away
// certificates, good and bad ones.
package smtptest

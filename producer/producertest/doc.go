// Package producertest is for the tests of applications: a [Recorder] takes
// mails as producer.Client does, and keeps them in memory.
//
//	rec := producertest.New(t)
//	shop.Order(ctx, rec)
//	if got := rec.Last().Subject; got != "Ihre Bestellung" { … }
//
// It has the methods of the client, so an application that names the few it uses
// in an interface of its own can be handed either. It refuses what the client
// refuses, with the same errors, and knows an id again. [Recorder.FailNext] plays
// a Redis that is away, [Recorder.Amend] what workers would have done.
package producertest

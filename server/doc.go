// Package server embeds a mail worker and the pages for operators into an application.
//
//	s, err := server.New(server.Options{
//		Worker: worker.Options{Redis: rdb, Store: store},
//		Addr:   "127.0.0.1:8080",
//	})
//	…
//	err = s.Run(ctx) // until ctx ends
//
// The pages are those of rohrpost web: the log of failed attempts and its download, the
// queues, and the test of accounts (/api/accounts/). Either Run listens at an address of
// their own, or the application serves Handler under a host name of its own, or below
// BasePath beside its own pages.
package server

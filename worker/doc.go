// Package worker embeds a mail worker into an application.
//
//	w, err := worker.New(worker.Options{Redis: rdb, Store: store})
//	…
//	err = w.Run(ctx) // until ctx ends
//
// The worker takes the mails that package producer has put into Redis and sends them
// through the accounts of a resolver.Store, which the application writes for its own
// database and tests with package resolvertest. As many workers as you like may share
// one Redis, in one process or in many.
//
// An account is found anew for each mail, so new settings are used at once. One whose
// login was refused is tried again by itself when its settings have changed.
//
// Package server runs a worker together with the pages for operators. The program
// rohrpost is the same worker, with a configuration file.
package worker

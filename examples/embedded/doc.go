// Embedded is an application with rohrpost inside: it keeps sender accounts in its own
// database (SQLite), and runs a mail worker and the pages for operators in its own
// process. Copy it; it uses nothing but public packages.
//
//	store.go   the accounts, a resolver.Store
//	app.go     store, producer and server put together
//	main.go    the process
//
// The tests run the suite that every store must pass, and send a mail.
//
//	go run . -redis 127.0.0.1:6379 -db accounts.db -addr 127.0.0.1:8080
package main

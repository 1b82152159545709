// Package trial has workers try accounts for the web part, which holds no key.
//
// A [Client] puts what somebody wants to be tried into Redis and waits; a [Server],
// one in each worker, takes it, asks package accounts, and answers. What goes to a
// worker is sealed as a whole for the workers' keys, so that nobody who reads Redis
// sees a password that is not stored yet, or can send it elsewhere. What comes back
// holds no secret.
//
// A request is taken once: a test mail never goes out twice. When the worker that has
// taken it ends without an answer, the client says that nobody knows.
package trial

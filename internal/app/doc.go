// Package app is the process shell: it puts the parts together that a role
// needs, starts them in order, and stops them in the opposite one.
//
// A process has the role of a worker, of the web part, or both. Every part that
// was started leaves a named clean-up behind; Stop runs them last in, first out,
// so that the worker has settled its mails before the connections are closed.
package app

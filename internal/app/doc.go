// Package app is the process shell: it turns the configuration into the options of
// an engine, opens Redis, and serves pages or probes.
//
// A process has the role of a worker, of the web part, or both. What starts leaves a
// named clean-up with the engine; Stop runs them last in, first out, so that the
// worker has settled its mails before the connections are closed.
package app

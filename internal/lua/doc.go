// Package lua runs Redis scripts: several of them in one pipeline, each loaded
// on demand. go-redis loads a script on demand only outside a pipeline.
//
// A [Batch] costs one round trip. A call of which Redis does not know the script
// (after a restart, a fail-over, SCRIPT FLUSH) is made again with its source in a
// second one, so it may come after a later call whose script was known; and the
// nodes of a Cluster run their calls side by side. A plain command among the calls is
// made once, and costs Redis a fraction of a script. The caller that builds a batch must not
// rely on its order for more than the usual case.
package lua

// Package private runs a redis-server for this process alone: what "rohrpost
// serve" uses when nobody has named a Redis.
//
// [Start] takes redis-server or valkey-server from the PATH and gives it a
// directory of its own, which no other user may enter. It listens on a unix
// socket there and nowhere else, writes each change to disk (AOF, synced every
// second) and evicts nothing. A directory belongs to one process at a time;
// [Find] is how others on this machine come to its Redis.
//
// The child outlives a crash of its own: it is started again, its data are in the
// AOF. It does not outlive its parent, however that ends (on Linux by the kernel;
// elsewhere the next Start ends what was left behind), and the lock on its data is
// inherited by it, so that two servers never write the same files.
package private

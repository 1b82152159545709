// Package configs is the configuration of rohrpost, typed.
//
// [Load] puts it together: the defaults, then the YAML file, then the
// ROHRPOST_… environment, then the flags, each over the one before. All four
// name a setting by the same key, retry.give_up for example, and are read by the
// same code. It is strict: an unknown key or variable is an error with its line
// and the nearest known name, and everything that is wrong is reported at once,
// each problem with its key, its place and a remedy.
//
// Every secret has a twin ending in _file that names a file with it.
//
// rohrpost.yaml in this folder holds every key with its default and a comment;
// it is also inside the binary, as [Template].
package configs

// Package strictyaml reads a YAML document into a struct and notes every mistake
// with its line and key.
//
// It is stricter than a YAML library: unknown and repeated keys, wrong kinds,
// anchors and further documents are errors. All of them are found in one go, and
// none shows a value that could be a password. The names of keys are those of
// the json tags, so that a struct has one spelling for files and for JSON.
package strictyaml

// Package words says in German and English what the rest of the system calls by a
// code or says in English alone: states, categories and stages, names of settings,
// warnings, refused fields, and why an account sends.
//
//   - [Of] is the label of a value: content_rejected is "Inhalt abgelehnt".
//   - [Field] is the label of a setting, [FieldHint] the line below its field.
//   - [Sentence] translates a sentence that was written in English where it arose.
//
// The labels stand in labels*.go, the settings in fields*.go and hints.go, and the German
// sentences in german*.go. Its tests read the source of the packages that have such values
// and write such sentences: what is new there and has no words here makes them fail.
//
// The package imports nothing of this module, so that every package may use it.
package words

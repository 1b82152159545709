// Package envelope seals what mails say, so that who reads Redis, its AOF or a copy of
// either does not read the mails.
//
// It is envelope encryption: a producer makes a data key for itself and the hour, and
// seals that with age for the workers' keys, once. Subject, headers, bodies, and names
// and contents of attachments are encrypted with the data key (AES-256-GCM), which
// travels, sealed, in each payload. Everything else of a payload is encrypted
// together with it, readable and not to be changed: what is sealed opens in its own
// mail alone, for the recipients it was meant for.
package envelope

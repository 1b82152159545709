// Package seal keeps secrets readable only for those who hold a key, with age
// (X25519, https://age-encryption.org/v1).
//
// Storing needs only public recipients; opening needs an identity, which only
// workers hold. Keys rotate by listing several: everything is sealed for all
// recipients, and opened with whichever identity fits. What was sealed for other
// recipients than today's is not Current any more and can be sealed anew.
//
// A secret is sealed together with its [Purpose], and opens for that one alone.
package seal

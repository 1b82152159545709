package rawmail

import "strings"

// brokenSignatures are the names of signature fields that must go, because they no longer
// verify: a broken signature counts against a mail, a missing one does not.
//
// A DKIM-Signature breaks if the body changes or a field does that its h= lists; one that
// is listed and was missing may not appear, either (RFC 6376 §5.4.2). The fields of ARC
// belong together (RFC 8617 §4.2): they all go once one of their signatures breaks.
func (m *message) brokenSignatures(touched map[string]bool, body bool) (dkim map[int]bool, arc bool) {
	dkim = map[int]bool{}
	for _, f := range m.header.fields {
		switch f.name {
		case "dkim-signature":
			dkim[f.start] = body || signsAny(f.value(m.raw), touched)
		case "arc-message-signature":
			arc = arc || body || signsAny(f.value(m.raw), touched)
		}
	}
	return dkim, arc
}

// signsAny reports whether the h= of a signature (RFC 6376 §3.5) lists one of the names.
func signsAny(signature string, names map[string]bool) bool {
	for tag := range strings.SplitSeq(signature, ";") {
		key, list, found := strings.Cut(tag, "=")
		if !found || strings.TrimSpace(key) != "h" {
			continue
		}
		for name := range strings.SplitSeq(list, ":") {
			// go-mail folds within names, which RFC 6376 §3.5 does not allow.
			if names[strings.ToLower(strings.Join(strings.Fields(name), ""))] {
				return true
			}
		}
	}
	return false
}

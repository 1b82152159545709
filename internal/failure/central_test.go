package failure

import (
	"strings"
	"testing"
)

// TestOfCentralSender is I3: the administrator is told that the alias is the reason.
func TestOfCentralSender(t *testing.T) {
	t.Parallel()
	refused := Classify(reply(StageMail, 553, "5.7.1 <service@acme.example>: Sender address rejected: not owned by user info@acme.example"))
	for lang, word := range map[string]string{"en": "central sender address", "de": "zentrale Absenderadresse"} {
		if got := refused.OfCentralSender(); !strings.Contains(got.Hint(lang), word) || got.Category != "sender_rejected" || got.Class != refused.Class {
			t.Errorf("%s: %q", lang, got.Hint(lang))
		}
	}
	other := Classify(reply(StageAuth, 535, "5.7.8 no"))
	if other.OfCentralSender() != other || (*Failure)(nil).OfCentralSender() != nil || refused.Rule == centralSender {
		t.Error("another failure was changed")
	}
}

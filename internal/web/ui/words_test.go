package ui

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestWordsOfTemplates(t *testing.T) {
	t.Parallel()
	u, err := New(Options{Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := u.Set(fstest.MapFS{
		"good.html": {Data: []byte(`{{word "category" "content_rejected"}}|{{sentence "smtp.port: is missing"}}|{{field "smtp.port"}}|{{fieldhint "smtp.username" "mailjet"}}|{{account "user/acme/max"}}`)},
		"bad.html":  {Data: []byte(`{{word "kategorie" "content_rejected"}}`)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{
		"de": "Inhalt abgelehnt|smtp.port: fehlt|Port|Der API-Schlüssel.|Benutzer max (acme)",
		"en": "content refused|smtp.port: is missing|Port|The API key.|user max (acme)",
	} {
		var out strings.Builder
		if err := set.template(lang, time.UTC).ExecuteTemplate(&out, "good.html", nil); err != nil || out.String() != want {
			t.Errorf("%s: %s, %v", lang, out.String(), err)
		}
		if err := set.template(lang, time.UTC).ExecuteTemplate(&out, "bad.html", nil); err == nil {
			t.Error("a kind that does not exist is no error")
		}
	}
}

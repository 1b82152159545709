package rohrpost_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// What is no text is refused, and its field is named: nobody gets a mail with
// replacement characters that nobody wrote.
func TestMessageJSONOfWhatIsNoText(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"Latin-1":                       {`{"text":"Gr` + "\xfc\xdf" + `e"}`, "text: invalid UTF-8"},
		"in a list":                     {`{"to":["a@b.example",{"name":"M` + "\xfc" + `ller","address":"a@c.example"}]}`, "to[1].name: invalid UTF-8"},
		"in a map":                      {`{"metadata":{"a":"x","b":"` + "\xff" + `"}}`, "metadata.b: invalid UTF-8"},
		"a key":                         {`{"metadata":{"` + "\xff" + `":"x"}}`, `a key in "metadata" is no UTF-8 text`},
		"the first half of a pair":      {`{"subject":"a\ud83d"}`, "subject: invalid UTF-8"},
		"the second half":               {`{"subject":"\uDE00 a"}`, "subject: invalid UTF-8"},
		"two first halves":              {`{"subject":"\ud83d\ud83d\ude00"}`, "subject: invalid UTF-8"},
		"the halves in the wrong order": {`{"html":"\ude00\ud83d"}`, "html: invalid UTF-8"},
		"a surrogate written in UTF-8":  {`{"text":"` + "\xed\xa0\xbd" + `"}`, "text: invalid UTF-8"},
		"an overlong slash":             {`{"text":"` + "\xc0\xaf" + `"}`, "text: invalid UTF-8"},
		"a pair":                        {`{"subject":"\ud83d\ude00\uD83D\uDE00"}`, ""},
		"an escaped backslash before":   {`{"subject":"\\ud83d"}`, ""},
		"the character itself":          {`{"subject":"😀 ü \u00fc \ufffd"}`, ""},
	} {
		var m rohrpost.Message
		err := json.Unmarshal([]byte(tt.text), &m)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/transport/compose/wiretest"
)

// TestMessages has what people have sent and what did not arrive as it was meant: each
// is refused with its field, or leaves as it should.
func TestMessages(t *testing.T) {
	t.Parallel()
	attached := func(file string) string { return `{"to":["k@example.org"],"text":"x","attachments":[` + file + `]}` }
	field := func(fields string) string { return `{"to":["k@example.org"],"text":"x","headers":[` + fields + `]}` }
	for name, tt := range map[string]struct {
		message string
		refused string // in the error; "": the mail leaves
		leaves  string // a pattern in the mail
		not     string // is not in it
	}{
		"a domain without A-labels":     {message: `{"to":["gut@example.org"],"cc":["info@müller_gmbh.example"],"text":"x"}`, leaves: `To: <gut@example.org>\r\n`, not: "\r\nCc:"},
		"such a domain in one label":    {message: `{"to":["gut@example.org","a@xn--zzzz.müller.example"],"text":"x"}`, leaves: `To: <gut@example.org>\r\n`, not: "zzzz"},
		"nobody has another":            {message: `{"to":["info@müller_gmbh.example"],"text":"x"}`, refused: "to[0].address"},
		"such a Reply-To":               {message: `{"to":["k@example.org"],"reply_to":["info@müller_gmbh.example"],"text":"x"}`, refused: "reply_to[0].address"},
		"such a user":                   {message: `{"to":["k@example.org"],"user":{"id":"a","address":"a@müller_gmbh.example"},"text":"x"}`, refused: "user.address"},
		"a long subject":                {message: `{"to":["k@example.org"],"subject":"` + strings.Repeat("a", 1100) + `","text":"x"}`, leaves: `Subject: =\?UTF-8\?Q\?a+\?=\r\n =`},
		"JSON without a blank":          {message: field(`{"name":"X-Data","value":"` + strings.Repeat("{1:2},", 250) + `"}`), leaves: `X-Data: =\?UTF-8\?`},
		"orders to a provider":          {message: field(`{"name":"X-SMTPAPI","value":"{}"}`), refused: "headers[0].name"},
		"a tabulator in a name":         {message: attached(`{"name":"Rechnung\t4711.pdf","content":"eA=="}`), refused: "attachments[0].name"},
		"a parameter twice":             {message: attached(`{"name":"a.txt","content":"eA==","content_type":"text/plain; charset=utf-8; charset=iso-8859-1"}`), refused: "attachments[0].content_type"},
		"letters beyond ASCII":          {message: `{"to":["gut@example.org","jörg@example.org"],"text":"x"}`, leaves: `To: <gut@example.org>\r\n`, not: "jörg"},
		"a Reply-To beyond ASCII":       {message: `{"to":["k@example.org"],"reply_to":["jörg@acme.example"],"text":"x"}`, refused: "reply_to[0].address"},
		"an address in a field":         {message: field(`{"name":"Disposition-Notification-To","value":"Jörg Müller <joerg@acme.example>"}`), leaves: `Disposition-Notification-To: =\?UTF-8\?Q\?J=C3=B6rg_M=C3=BCller\?=\r\n <joerg@acme.example>\r\n`},
		"a link beyond ASCII":           {message: field(`{"name":"List-Unsubscribe","value":"<https://x.example/ü>"}`), refused: "headers[0].value"},
		"ids that are none":             {message: field(`{"name":"References","value":"4711"}`), refused: "headers[0].value"},
		"a field twice":                 {message: field(`{"name":"X-Mailgun-Tag","value":"a"},{"name":"X-Mailgun-Tag","value":"b"}`), leaves: `X-Mailgun-Tag: a\r\nX-Mailgun-Tag: b\r\n`},
		"References twice":              {message: field(`{"name":"References","value":"<a@b.example>"},{"name":"References","value":"<c@b.example>"}`), leaves: `References: <a@b.example> <c@b.example>\r\n`},
		"Importance twice":              {message: field(`{"name":"Importance","value":"high"},{"name":"importance","value":"low"}`), refused: "headers[1].name"},
		"a long conversation":           {message: field(`{"name":"References","value":"` + strings.Repeat("<"+strings.Repeat("i", 60)+"@b.example> ", 50) + `<last@b.example>"}`), leaves: `References: <i+@b.example>(\r?\n? <i+@b.example>)+\r\n <last@b.example>\r\n`},
		"white space":                   {message: field(`{"name":"X-A","value":"a  b\u00a0c "}`), leaves: `X-A: =\?UTF-8\?Q\?a__b=C2=A0c_\?=\r\n`},
		"names in quotes":               {message: attached(`{"name":"l'offre.pdf","content":"eA=="},{"name":"a*b.odt","content":"eA=="}`), leaves: `filename="l'offre.pdf"(?s:.*)opendocument.text;\r\n name="a\*b.odt"`},
		"another script":                {message: attached(`{"name":"請求書.heic","content":"eA=="}`), leaves: `image/heic;\r\n name="=\?UTF-8\?B\?[^"]*\?="\r\n(?s:.*)filename\*=UTF-8''%E8%AB%8B%E6%B1%82%E6%9B%B8.heic`},
		"marks that follow":             {message: attached(`{"name":"Gru\u0308ße.pdf","content":"eA=="}`), leaves: `filename\*=UTF-8''Gr%C3%BC%C3%9Fe.pdf`},
		"a text of whatever charset":    {message: attached(`{"name":"a.csv","content":"/wo="}`), leaves: `Content-Type: text/csv;\r\n name`, not: "text/csv; charset"},
		"a mail as a file":              {message: attached(`{"name":"a.eml","content":"U3ViamVjdDogeAoKeQo="}`), leaves: `Content-Type: message/rfc822;(?s:.*)Content-Transfer-Encoding: 7bit\r\n\r\nSubject: x\r\n`},
		"no content":                    {message: attached(`{"name":"a.pdf"}`), refused: "attachments[0].content"},
		"half a pair":                   {message: `{"to":["k@example.org"],"subject":"\ud83d","text":"x"}`, refused: "subject: invalid UTF-8"},
		"Latin-1":                       {message: "{\"to\":[\"k@example.org\"],\"text\":\"Gr\xfc\xdfe\"}", refused: "text: invalid UTF-8"},
		"what looks encoded":            {message: `{"to":["k@example.org"],"subject":"Fwd: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=","text":"x"}`, leaves: `Subject: =\?UTF-8\?Q\?Fwd:_=3D=3FUTF-8`},
		"a name that looks encoded":     {message: `{"to":[{"name":"=?UTF-8?Q?x?=","address":"k@example.org"}],"text":"x"}`, leaves: `To: =\?UTF-8\?Q\?=3D=3FUTF-8`},
		"a byte order mark":             {message: "\xef\xbb\xbf" + `{"to":["k@example.org"],"text":"x"}`, leaves: "To: <k@example.org>"},
		"Russian":                       {message: `{"to":["k@example.org"],"text":"` + strings.Repeat("Счёт за март. ", 100) + `"}`, leaves: "Content-Transfer-Encoding: base64\r\n"},
		"a content id twice":            {message: attached(`{"name":"a.png","content_id":"a","content":"eA=="},{"name":"b.png","content_id":"a","content":"eA=="}`), refused: "attachments[1].content_id"},
		"a picture that nothing shows":  {message: attached(`{"name":"a.png","content_id":"a","content":"eA=="}`), leaves: `Content-ID: <a>\r\nContent-Disposition: attachment;`},
		"a picture that the HTML shows": {message: `{"to":["k@example.org"],"html":"<img src=cid:a>","attachments":[{"name":"a.png","content_id":"a","content":"eA=="}]}`, leaves: `multipart/related; type="text/html"`},
		"HTML alone":                    {message: `{"to":["k@example.org"],"html":"<p>Guten <b>Tag</b>"}`, leaves: `text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nGuten Tag\r\n`},
		"HTML alone, and meant so":      {message: `{"to":["k@example.org"],"html":"<p>Guten <b>Tag</b>","no_text_part":true}`, leaves: "text/html", not: "text/plain"},
		"no host's name":                {message: `{"to":["k@example.org"],"text":"x"}`, leaves: `Message-ID: <[^@]+@platform.example>\r\n`},
		"a program's mail":              {message: `{"to":["k@example.org"],"text":"x"}`, leaves: `Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n`, not: "Precedence"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := previewing(t, tt.message, "--json")
			if tt.refused != "" {
				if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, tt.refused) {
					t.Errorf("%d: %s%s", r.code, r.out, r.err)
				}
				return
			}
			fine(t, r)
			wiretest.Check(t, []byte(r.out), false)
			if !regexp.MustCompile(tt.leaves).MatchString(r.out) || tt.not != "" && strings.Contains(r.out, tt.not) {
				t.Errorf("it would leave as\n%s", r.out)
			}
		})
	}
}

package rawmail_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/rawmail"
)

// nested is a message of multiparts in each other.
func nested(depth int) string {
	var b strings.Builder
	b.WriteString(head)
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	return b.String() + "\nx\n"
}

// TestRefused: what could not leave is refused in a sentence that says why, and neither
// shows what the message says.
func TestRefused(t *testing.T) {
	t.Parallel()
	const mixed = head + "Content-Type: multipart/mixed; boundary=a\n\n"
	const signed = head + "Content-Type: multipart/signed; boundary=a\n\n"
	long := strings.Repeat("x", 999)
	for name, tt := range map[string]struct{ raw, want string }{
		"empty":                      {"", "empty"},
		"NUL":                        {head + "\nx\x00", "NUL"},
		"bare CR":                    {head + "\nx\ry\n", "CR without LF"},
		"bare CR at the end":         {head + "\nx\r", "CR without LF"},
		"two CR":                     {head + "\nx\r\r\n", "CR without LF"},
		"no header":                  {"\nx\n", "no header"},
		"text alone":                 {"Hello World\n", "header, line 1: no field name"},
		"mbox":                       {"From a@b.example Tue Dec  1 12:00:00 2026\n" + head + "\n", "line 1: no field name"},
		"blank before the colon":     {head + "Subject : x\n\n", "line 5: no field name"},
		"UTF-8 name":                 {head + "Sübject: x\n\n", "line 5: no field name"},
		"no name":                    {head + ": x\n\n", "line 5: no field name"},
		"begins with a blank":        {" x\n" + head + "\n", "white space before the first field"},
		"blank line of white space":  {head + "X-A: 1\n \nBcc: x@y.example\n\n", "line 6: white space alone"},
		"long line":                  {head + "X-A: " + long + "\n\n", "line 5: 1004 octets, at most 998"},
		"long continued line":        {head + "X-A: 1\n " + long + "\n\n", "line 6: 1000 octets"},
		"long From":                  {"From: \"" + strings.Repeat("x", 980) + "\" <a@b.ex>\n\n", "From: a line of 997"},
		"Latin-1":                    {head + "Subject: Gr\xfc\xdfe\n\n", "neither ASCII nor UTF-8"},
		"too large":                  {head + strings.Repeat("X-A: "+long[:900]+"\n "+long[:900]+"\n", 600) + "\n", "more than 1048576 octets"},
		"too many fields":            {head + strings.Repeat("X-A: 1\n", 1000) + "\n", "more than 1000 fields"},
		"no From":                    {"To: a@b.example\n\n", "From: missing"},
		"From twice":                 {head + "FROM: c@d.example\n\n", "From: there is more than one"},
		"Subject twice":              {head + "Subject: 1\nSubject: 2\n\n", "Subject: there is more than one"},
		"Message-ID twice":           {head + "Message-ID: <2@b>\n\n", "Message-ID: there is more than one"},
		"Bcc twice":                  {head + "Bcc: a@b.c\nBcc: a@b.c\n\n", "Bcc: there is more than one"},
		"Content-Type twice":         {head + "Content-Type: a/b\nContent-Type: a/b\n\n", "Content-Type: there is more than one"},
		"two senders":                {"From: geheim@b.example, c@d.example\n\n", "From: 2 addresses"},
		"no sender":                  {"From: nobody:;\n\n", "From: 0 addresses"},
		"malformed From":             {"From: geheim\n\n", "From: no list of addresses"},
		"quoted local part":          {"From: \"geheim\"@b.example\n\n", ""},
		"quoted blank":               {"From: \"ge heim\"@b.example\n\n", "From: an address that no server takes"},
		"malformed To":               {head + "To: geheim@\n\n", "To: no list of addresses"},
		"empty Cc":                   {head + "Cc:\n\n", "Cc: no list of addresses"},
		"malformed Reply-To":         {head + "Reply-To: geheim\n\n", "Reply-To: no list"},
		"malformed Sender":           {head + "Sender: a@b.c, d@e.f\n\n", "Sender: 2 addresses"},
		"malformed Message-ID":       {"From: a@b.c\nMessage-ID: geheim\n\n", "Message-ID: not of the form"},
		"empty Message-ID":           {"From: a@b.c\nMessage-ID:\n\n", "Message-ID: not of the form"},
		"loop":                       {head + strings.Repeat("Received: geheim\n", 31) + "\n", "Received: 31 times"},
		"malformed Content-Type":     {head + "Content-Type: geheim\n\n", "Content-Type: malformed"},
		"two charsets":               {head + "Content-Type: text/plain; charset=a; charset=b\n\n", "Content-Type: malformed"},
		"no boundary":                {head + "Content-Type: multipart/mixed\n\n", "no boundary"},
		"empty boundary":             {head + "Content-Type: multipart/mixed; boundary=\"\"\n\n", "no boundary"},
		"long boundary":              {head + "Content-Type: multipart/mixed; boundary=" + long[:71] + "\n\n", "no boundary"},
		"multipart in base64":        {head + "Content-Transfer-Encoding: base64\nContent-Type: multipart/mixed; boundary=a\n\n", "no transfer encoding but"},
		"no part":                    {mixed + "x\n", "it has no part"},
		"only the end":               {mixed + "--a--\n", "it has no part"},
		"a delimiter too long":       {mixed + "--a" + strings.Repeat(" ", 1000) + "\n", "line of more than 998"},
		"preamble":                   {mixed + "ü\n--a\n\nx\n--a--\n", "before its first part: octets above 127"},
		"epilogue":                   {mixed + "--a\n\nx\n--a--\n" + long + "\n", "after its last part: a line of more than 998"},
		"header of a part":           {mixed + "--a\nhello\n\nx\n--a--\n", "header of a part, line 1"},
		"long line of a part":        {mixed + "--a\nX: " + long + "\n\nx\n--a--\n", "header of a part, line 1: 1002 octets"},
		"17 deep":                    {nested(17), "more than 16 deep"},
		"1001 parts":                 {mixed + strings.Repeat("--a\n\n", 1001), "more than 1000 parts"},
		"signed, 8-bit":              {signed + "--a\n\nü\n--a\n\nx\n--a--\n", "multipart/signed: octets above 127"},
		"signed, long line":          {signed + "--a\n\n" + long + "\n--a\n\nx\n--a--\n", "multipart/signed: a line of more than 998"},
		"signed, both line ends":     {signed + "--a\n\nx\r\ny\n--a\n\nx\n--a--\n", "line ends of both kinds"},
		"signed, one part":           {signed + "--a\n\nx\n--a--\n", "no two parts"},
		"signed, attached, 8-bit":    {mixed + "--a\nContent-Type: multipart/signed; boundary=b\n\n--b\n\nü\n--b\n\n--b--\n--a--\n", "multipart/signed: octets"},
		"encrypted, 8-bit":           {head + "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: 8bit\n\nü\n", "application/pkcs7-mime: octets"},
		"encrypted, long line":       {head + "Content-Type: application/x-pkcs7-mime\nContent-Transfer-Encoding: base64\n\n" + long + "\n", "pkcs7-mime: a line"},
		"base64, 8-bit":              {head + "Content-Transfer-Encoding: base64\n\nü\n", "octets above 127 in base64"},
		"unknown encoding":           {head + "Content-Transfer-Encoding: x-uuencode\n\n" + long + "\n", "the transfer encoding is none"},
		"a report that is 8-bit":     {head + "Content-Type: message/delivery-status\n\nü: x\n", "may not be encoded"},
		"a message, malformed":       {head + "Content-Type: message/rfc822\n\nHello World\n", "header of a part, line 1"},
		"a digest of no messages":    {head + "Content-Type: multipart/digest; boundary=a\n\n--a\n\nhello\n--a--\n", "header of a part, line 1"},
		"a message in a called mess": {head + "Content-Type: message/rfc822\nContent-Transfer-Encoding: mess\n\nü\n", "none of RFC 2045"},
	} {
		err := rawmail.Check([]byte(tt.raw))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, rawmail.ErrMessage) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
			continue
		}
		if strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "geheim") || len(err.Error()) > 200 {
			t.Errorf("%s: says too much: %v", name, err)
		}
		if out, other := rawmail.Edit(t.Context(), []byte(tt.raw), options()); out != nil || other == nil || other.Error() != err.Error() {
			t.Errorf("%s: Edit says %v", name, other)
		}
	}
}

// TestBounds: what is just within is taken.
func TestBounds(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"16 deep":         nested(16),
		"1000 parts":      head + "Content-Type: multipart/mixed; boundary=a\n\n" + strings.Repeat("--a\n\n", 1000),
		"1000 fields":     head + strings.Repeat("X-A: 1\n", 996) + "\n",
		"30 servers":      head + strings.Repeat("Received: x\n", 30) + "\n",
		"boundary of 70":  head + "Content-Type: multipart/mixed; boundary=" + strings.Repeat("x", 70) + "\n\n--" + strings.Repeat("x", 70) + "\n\n",
		"empty Bcc":       head + "Bcc:\n\n",
		"undisclosed":     head + "To: undisclosed-recipients:;\n\n",
		"a long Bcc line": head + "Bcc: " + strings.Repeat("a@b.example,", 100) + "c@d.example\n\n",
	} {
		if err := rawmail.Check([]byte(raw)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

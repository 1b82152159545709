package smtptest_test

import (
	"encoding/base64"
	"testing"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestToken speaks XOAUTH2 and OAUTHBEARER, with good and bad tokens.
func TestToken(t *testing.T) {
	t.Parallel()
	const user = "max@acme.example"
	good := func(u, token string) bool { return u == user && token == "good" }
	xoauth2 := func(token string) string { return encode("user=" + user + "\x01auth=Bearer " + token + "\x01\x01") }
	for _, c := range []struct {
		name    string
		options smtptest.Options
		say     [][]string // a line, then the start of each line that comes
	}{
		{"good", smtptest.Options{}, [][]string{{"AUTH XOAUTH2 " + xoauth2("good"), "235 "}, {"MAIL FROM:<a@b>", "250 "}}},
		{"good, in two steps", smtptest.Options{}, [][]string{{"AUTH XOAUTH2", "334 \r\n"}, {xoauth2("good"), "235 "}}},
		{"bad", smtptest.Options{}, [][]string{{"AUTH XOAUTH2 " + xoauth2("bad"), "334 eyJzdGF0dXMiOi"}, {"", "535 "}, {"MAIL FROM:<a@b>", "530 "}}},
		{"bad, challenge not dismissed", smtptest.Options{}, [][]string{{"AUTH XOAUTH2 " + xoauth2("bad"), "334 "}, {"AQ==", ""}}},
		{"bad, refused at once", smtptest.Options{RefuseAtOnce: true}, [][]string{{"AUTH XOAUTH2 " + xoauth2("bad"), "535 "}}},
		{"malformed", smtptest.Options{RefuseAtOnce: true}, [][]string{{"AUTH XOAUTH2 " + encode("user="+user), "535 "}}},
		{"not offered", smtptest.Options{}, [][]string{{"AUTH OAUTHBEARER x", "504 "}}},
		{"OAUTHBEARER", smtptest.Options{Mechanisms: []string{"OAUTHBEARER"}}, [][]string{
			{"AUTH OAUTHBEARER " + encode("n,a="+user+",\x01host=a.example\x01port=25\x01auth=Bearer bad\x01\x01"), "334 "},
			{"AQ==", "535 "},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.options.Token = good
			client := dial(t, smtptest.Start(t, c.options))
			client.say("", "220 ")
			client.say("EHLO me\r\n", "250-", "250-", "250-", "250-", "250-", "250 AUTH ")
			for _, line := range c.say {
				client.say(line[0]+"\r\n", line[1:]...)
			}
		})
	}
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

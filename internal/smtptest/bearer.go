package smtptest

import (
	"net"
	"strings"
)

// refusal is what Google says of a bad token, before the 535.
const refusal = `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`

// bearer is the login with an access token.
func (ss *session) bearer(mechanism, initial string) error {
	o := &ss.server.options
	got, err := ss.response(initial, "")
	if err != nil {
		return err
	}
	parse, dismissal := parseXOAUTH2, ""
	if mechanism == "OAUTHBEARER" {
		parse, dismissal = ss.parseOAUTHBEARER, "\x01" // RFC 7628 §3.2.3
	}
	user, token, ok := parse(got)
	if ok && o.Token != nil && o.Token(user, token) {
		ss.username = user
		return nil
	}
	if o.RefuseAtOnce {
		return errLogin
	}
	if got, err = ss.response("", refusal); err == nil && got != dismissal {
		return errHung // the client does not know how this ends
	}
	return check(false, err)
}

// parseXOAUTH2 reads "user=<user>^Aauth=Bearer <token>^A^A".
func parseXOAUTH2(s string) (user, token string, ok bool) {
	s, open := strings.CutPrefix(s, "user=")
	s, closed := strings.CutSuffix(s, "\x01\x01")
	user, token, bearer := strings.Cut(s, "\x01auth=Bearer ")
	return user, token, open && closed && bearer
}

// parseOAUTHBEARER reads "n,a=<user>,^Ahost=…^Aport=…^Aauth=Bearer <token>^A^A".
func (ss *session) parseOAUTHBEARER(s string) (user, token string, ok bool) {
	s, open := strings.CutPrefix(s, "n,a=")
	s, closed := strings.CutSuffix(s, "\x01\x01")
	user, s, named := strings.Cut(s, ",\x01host=")
	host, s, hosted := strings.Cut(s, "\x01port=")
	port, token, bearer := strings.Cut(s, "\x01auth=Bearer ")
	_, want, err := net.SplitHostPort(ss.server.Addr())
	if err == nil && port != want || host == "" {
		return "", "", false
	}
	user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(user)
	return user, token, open && closed && named && hosted && bearer
}

package failure

import "strings"

// A Login is how an account logs in at its server.
type Login string

// The ways.
const (
	LoginUnknown  Login = ""
	LoginNone     Login = "none"
	LoginPassword Login = "password"
	LoginToken    Login = "token"       // a person has connected the account, and can do so again
	LoginApp      Login = "application" // a token of the application's own, with no person behind it
)

// A Session is what is known of the conversation in which a reply came. Rules may ask
// for it; nothing of it is in the Failure.
type Session struct {
	Login       Login
	AuthOffered bool   // by the server, in its last reply to EHLO
	HELO        string // the name said there
	Sender      string // reverse-path of MAIL
	Recipient   string // of the RCPT that was answered; empty: of none, or of several
}

// A fact is what a rule may ask of a session.
type fact string

func facts() []fact {
	return []fact{
		"login", "no_login", "password", "token", "application", "auth_offered",
		"names_sender", "names_helo",
	}
}

// holds reports whether the fact is known to be one.
func (f fact) holds(q *query) bool {
	s := q.session
	switch f {
	case "login":
		return s.Login != LoginUnknown && s.Login != LoginNone
	case "no_login":
		return s.Login == LoginNone
	case "password":
		return s.Login == LoginPassword
	case "token":
		return s.Login == LoginToken || s.Login == LoginApp || q.api == "xoauth2"
	case "application":
		return s.Login == LoginApp
	case "auth_offered":
		return s.AuthOffered
	case "names_sender": // and nobody else
		return !strings.EqualFold(s.Sender, s.Recipient) && q.text.names(s.Sender) && !q.text.names(s.Recipient)
	case "names_helo":
		return q.text.names(s.HELO)
	}
	return false
}

// names reports whether the text has a name or address as a whole.
func (t *text) names(name string) bool {
	if name == "" {
		return false
	}
	name = strings.ToLower(name)
	for from := 0; ; {
		i := strings.Index(t.s[from:], name)
		if i < 0 {
			return false
		}
		at := from + i
		end := at + len(name)
		before := at == 0 || !isWord(t.s[at-1]) && strings.IndexByte(".-_+@", t.s[at-1]) < 0
		after := end == len(t.s) || !isWord(t.s[end]) && strings.IndexByte("-_@", t.s[end]) < 0 &&
			(t.s[end] != '.' || end+1 == len(t.s) || !isWord(t.s[end+1]))
		if before && after {
			return true
		}
		from = at + 1
	}
}

package strictyaml

import "strconv"

// An Error is a problem at one line of a file. It never shows a value that could
// be a password.
type Error struct {
	File    string
	Line    int    // from 1; 0: unknown
	Key     string // as "tenants.acme.account.smtp.port"; empty: the file
	Problem string
}

// Error is "accounts.yaml:12: tenants.acme.account.smtp.port: problem".
func (e *Error) Error() string {
	s := e.File + ":"
	if e.Line > 0 {
		s += strconv.Itoa(e.Line) + ":"
	}
	if e.Key != "" {
		s += " " + e.Key + ":"
	}
	return s + " " + e.Problem
}

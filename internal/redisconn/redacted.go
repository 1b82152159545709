package redisconn

import (
	"regexp"
	"strings"
)

var passwordParameter = regexp.MustCompile(`(?i)(password=)[^&]*`)

// Redacted is the URL without passwords, for people to read. It works on any
// text: whatever stands between the user name and the last @ is taken out.
func Redacted(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		scheme, rest = "", raw
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, hasPassword := strings.Cut(rest[:at], ":")
		if hasPassword {
			user += ":[redacted]"
		}
		rest = user + rest[at:]
	}
	rest = passwordParameter.ReplaceAllString(rest, "${1}[redacted]")
	if !found {
		return rest
	}
	return scheme + "://" + rest
}

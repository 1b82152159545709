package words

import "strings"

// AccountName is an account for people, by the id that resolver.Place has: "tenant acme",
// "user max (acme)" or "platform". What is no id stays as it is.
func AccountName(lang, id string) string {
	level, owner, _ := strings.Cut(id, "/")
	tenant, user, ofUser := strings.Cut(owner, "/")
	name, plain := Of(lang, Level, level), strings.NewReplacer("%2F", "/", "%25", "%")
	switch {
	case id == "platform":
		return name
	case level == "tenant" && tenant != "" && !ofUser:
		return name + " " + plain.Replace(tenant)
	case level == "user" && tenant != "" && user != "":
		return name + " " + plain.Replace(user) + " (" + plain.Replace(tenant) + ")"
	}
	return id
}

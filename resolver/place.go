package resolver

import (
	"fmt"
	"strings"
)

// ParsePlace reads what Place.String has written.
func ParsePlace(id string) (Place, error) {
	parts := strings.Split(id, "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("%2F", "/", "%25", "%").Replace(p)
	}
	var p Place
	switch {
	case id == string(Platform):
		return p, nil
	case len(parts) == 2 && parts[0] == string(Tenant):
		p.Tenant = parts[1]
	case len(parts) == 3 && parts[0] == string(User):
		p.Tenant, p.User = parts[1], parts[2]
	}
	if p.Tenant == "" || p.String() != id {
		return Place{}, fmt.Errorf("%q is no id of an account", id)
	}
	return p, nil
}

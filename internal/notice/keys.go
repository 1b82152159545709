package notice

import (
	"strings"
	"time"
)

// keep is how long a book outlives its last look: what still stands then is news.
const keep = 30 * 24 * time.Hour

// bookKey is the book of a tenant, or of the platform for an empty one, as JSON.
func bookKey(tenant string) string {
	if tenant == "" {
		return "rohrpost:notice:{platform}"
	}
	return "rohrpost:notice:{t:" + strings.ReplaceAll(tenant, "}", "%7D") + "}"
}

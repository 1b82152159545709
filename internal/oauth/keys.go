package oauth

// stateKey is the hash of a grant, lockKey is held by the process that asks the provider just now.
// The braces keep both in one Cluster slot.
func stateKey(origin string) string { return "rohrpost:oauth:{" + origin[:32] + "}" }
func lockKey(origin string) string  { return stateKey(origin) + ":lock" }

// The fields of the hash.
const (
	fieldRevision    = "v" // rises with every token
	fieldRefresh     = "r" // refresh token, sealed
	fieldUsed        = "u" // Unix ms at which it was used last
	fieldAccess      = "a" // access token, sealed
	fieldID          = "i" // digest of the access token
	fieldFingerprint = "p" // of the credentials it was got with
	fieldStale       = "s" // Unix ms from which on the next one is asked for
	fieldExpires     = "e" // Unix ms at which it ends
	fieldForced      = "f" // Unix ms at which it was got in place of a rejected one, or 0
)

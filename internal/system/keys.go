package system

const (
	// lockKey is held by the process whose check is under way; the value is the check.
	lockKey = "rohrpost:{check}:lock"
	// lastKey is the latest check, as JSON.
	lastKey = "rohrpost:{check}:last"
)

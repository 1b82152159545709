package presence

const (
	// seenKey is a sorted set: process, by when Redis heard it last (Unix ms).
	seenKey = "rohrpost:{workers}:seen"
	// aboutKey is a hash: process, and what it says of itself, as JSON.
	aboutKey = "rohrpost:{workers}:about"
)

package gate

const (
	parkedKey = "rohrpost:gate:parked"         // hash: account id to a Notice as JSON
	channel   = "rohrpost:gate:parked:changed" // pub/sub: account id
)

package trial

// All keys share one slot of a Cluster: there are few requests, and scripts look at
// several keys.
const (
	waitingKey = "rohrpost:{trial}:waiting" // list of ids, in order
	runningKey = "rohrpost:{trial}:running" // sorted set of ids, by when their lease ends (ms)
	workersKey = "rohrpost:{trial}:workers" // there while a worker looks for requests
	channel    = "rohrpost:trial"           // a request was put
)

// requestKey holds a request, for as long as somebody waits for its answer.
func requestKey(id string) string { return "rohrpost:{trial}:request:" + id }

// answerKey is a list with the one answer.
func answerKey(id string) string { return "rohrpost:{trial}:answer:" + id }

// tenantKey holds the id of the one request that a tenant has.
func tenantKey(tenant string) string { return "rohrpost:{trial}:tenant:" + tenant }

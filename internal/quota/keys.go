package quota

// Two hashes in one slot, by tenant: how many mails wait, and how many bytes they have.
// A tenant for whom nothing waits is in neither.
const (
	mailsKey = "rohrpost:quota:{waiting}:mails"
	bytesKey = "rohrpost:quota:{waiting}:bytes"
)

func keys() []string { return []string{mailsKey, bytesKey} }

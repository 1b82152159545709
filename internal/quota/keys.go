package quota

// keys are two hashes in one slot, by tenant: how many mails wait, and how many bytes
// they have. A tenant for whom nothing waits is in neither.
func keys() []string {
	return []string{"rohrpost:quota:{waiting}:mails", "rohrpost:quota:{waiting}:bytes"}
}

package blob

// key is that of a blob.
func key(digest string) string { return "rohrpost:blob:{" + digest + "}" }

package audit

// streamKey holds the latest acts, each as JSON in one field.
const streamKey = "rohrpost:audit"

// field of a stream entry that holds the record.
const field = "act"

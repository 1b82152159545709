package doctor

// countKey counts the checks of a key in its window.
func countKey(key string) string { return "rohrpost:doctor:{" + key + "}" }

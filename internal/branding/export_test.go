package branding

// What the tests ask directly.
var (
	Contrast   = contrast
	RenameBody = renameBody
	TooDense   = tooDense
)

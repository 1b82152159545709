// Package plaintext makes the text part of a mail from its HTML, for people and programs
// that read no HTML, and for spam filters that distrust a mail without one.
//
// Paragraphs, headings, lists, links, pictures' descriptions, quotations and tables stay
// readable; what a browser would not show is left out. Lines end where the HTML ends
// them: mail programs wrap them.
//
// The HTML is read token by token, without a tree, so that depth costs nothing and the
// time grows with the size: libraries that convert HTML to text build the tree, and
// recurse into it.
package plaintext

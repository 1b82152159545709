// Package branding puts a tenant's look around the HTML of its mails: logo or
// company name above, the mail itself in a card of at most 600 px, a footer
// below.
//
// A [Look] is what an administrator sets. [Look.Validate] refuses what would be
// hard to read or not shown (WCAG 2.1 contrast, SVG); what is left empty has a
// default. [Look.Wrap] is given a message and returns the one to be sent. The
// text part stays as it is, and so does a mail without HTML.
//
// A mail's HTML is read as a browser reads it and written anew, so that no
// unclosed or surplus tag of it reaches the footer. What a mail says of its page
// (the attributes of body, the rules of its style sheets for body) holds for its
// cell in the card. The frame is made for the worst of mail programs: tables,
// inline styles, the logo as an inline part, nothing that must be loaded. This
// is no sanitizer: a mail's own links and pictures are its own matter.
package branding

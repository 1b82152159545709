package rohrpost

import "time"

// A Message is one mail as an application asks for it. The zero value of every
// field but To (or Cc, Bcc), Tenant and a body is valid.
type Message struct {
	// ID is the job's id and its idempotency key: a second message of the same
	// tenant with the same id is not sent. Empty: a random one. Letters, digits and
	// ._:~/@+=- only, at most 256 bytes, a letter or digit first. With another content,
	// the same id is refused.
	ID string

	// Tenant is the customer on whose behalf the mail leaves. Empty: the
	// platform itself.
	Tenant string
	// User is the person who caused the mail, if one did.
	User User

	// Origin says whether a person pressed Send. Empty: Automatic.
	Origin Origin
	// Category is empty for Transactional.
	Category Category

	// From is the sender asked for; the account decides whether it is used.
	From Address
	// ReplyTo is where answers go. Empty: the worker fills in the user's
	// address or the tenant's admin address.
	ReplyTo []Address
	To      []Address
	Cc      []Address
	// Bcc recipients get the mail and stand in no header.
	Bcc []Address

	Subject     string
	Text        string // plain text body
	HTML        string // HTML body; with Text the mail is multipart/alternative
	NoTextPart  bool   // else a mail with HTML alone gets a text made from it
	Calendar    *Calendar
	Headers     []Header
	Attachments []Attachment
	// Unsubscribe is how recipients get out of a list; nil: the mail does not say.
	Unsubscribe *Unsubscribe

	// Raw is a whole message as RFC 5322 has it, header and body, in place of
	// everything that the mail says: bodies, subject, attachments, other fields. Its
	// body leaves as it is, its header with few changes (docs/messages.md). To, Cc and
	// Bcc say who gets it; if they are empty, its own fields do.
	Raw []byte

	// Priority picks the queue. Empty: Default.
	Priority Priority
	// NotBefore is the earliest time of the first attempt. Zero: at once.
	NotBefore time.Time
	// Expires is when trying ends. Zero: the worker's retry.give_up after the
	// first due time.
	Expires time.Time

	// Metadata is handed back in the status and in the error log. It is not
	// sent. At most 32 pairs and 4 KiB.
	Metadata map[string]string

	// OnUncertain decides when a connection was lost after the final dot.
	// Empty: Resend.
	OnUncertain OnUncertain
}

// Recipients are the addresses of To, Cc and Bcc in this order, each address
// once. The order is the index by which ledger and transports know a recipient.
func (m *Message) Recipients() []string {
	n := len(m.To) + len(m.Cc) + len(m.Bcc)
	out := make([]string, 0, n)
	var seen map[string]bool // most mails have one recipient, and need none
	if n > 1 {
		seen = make(map[string]bool, n)
	}
	for _, list := range [...][]Address{m.To, m.Cc, m.Bcc} {
		for _, a := range list {
			if n > 1 {
				key := a.key()
				if seen[key] {
					continue
				}
				seen[key] = true
			}
			out = append(out, a.Address)
		}
	}
	return out
}

// A User is the person in a tenant who caused a mail.
type User struct {
	ID        string `json:"id,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Address   string `json:"address,omitempty"`
}

// Name is "First Last", or whichever of the two is known.
func (u User) Name() string {
	switch {
	case u.FirstName == "":
		return u.LastName
	case u.LastName == "":
		return u.FirstName
	}
	return u.FirstName + " " + u.LastName
}

// A Header is an additional header field. Names that a mail program writes
// itself (From, Date, Content-Type …) are refused.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// An Attachment is a file sent with the mail. With a ContentID it is inline:
// the HTML body shows it as "cid:<ContentID>".
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type,omitempty"` // empty: by the ending of Name, else application/octet-stream
	ContentID   string `json:"content_id,omitempty"`   // without angle brackets
	Content     []byte `json:"content"`                // base64 in JSON; not nil
}

// Origin tells a person's mail from a program's.
type Origin string

// The origins. They decide whose account is asked first.
const (
	Manual    Origin = "manual"    // a person pressed Send: user, tenant, platform
	Automatic Origin = "automatic" // a program sends: tenant, user, platform
)

// Category tells business mail from advertising.
type Category string

// The categories. Marketing leaves through the platform's account only.
const (
	Transactional Category = "transactional"
	Marketing     Category = "marketing"
)

// Priority picks one of the three queues.
type Priority string

// The priorities, served 6 : 3 : 1.
const (
	Critical Priority = "critical"
	Default  Priority = "default"
	Bulk     Priority = "bulk"
)

// OnUncertain says what to do with a mail of which nobody knows whether the
// server took it (RFC 1047).
type OnUncertain string

// The policies for an uncertain mail.
const (
	Resend OnUncertain = "resend" // send again after a pause; it may arrive twice
	Hold   OnUncertain = "hold"   // wait until a person decides
)

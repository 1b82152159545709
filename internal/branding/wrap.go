package branding

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost"
)

//go:embed frame.html
var frameText string

var frame = template.Must(template.New("frame").Parse(frameText))

// Outlook for Windows knows no max-width: it gets a table of 600 px, and its
// tables do not inherit a font.
const (
	openOutlook  = template.HTML(`<!--[if mso]><table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->`)
	closeOutlook = template.HTML(`<!--[if mso]></td></tr></table><![endif]-->`)
	outlookFont  = `<!--[if mso]><style>body,table,td,p,div,li,a{font-family:Segoe UI,Arial,sans-serif}</style><![endif]-->`
)

// padding is, in px, that of the card's text.
const padding = 24

// MaxHTML is the size in bytes up to which a mail is read into a tree. Gmail
// shows about 100 KiB.
const MaxHTML = 1 << 20

// Wrap returns the message with the look around its HTML and the logo as the
// last of its attachments; m itself is not changed. The same message gives the
// same result.
//
// It is m itself that comes back if the look is nil or switched off or the HTML is
// missing; and, with an error that says why, if the look is not valid or the HTML
// is larger than 1 MiB, nested too deeply, too dense, or changes its meaning with
// every parser: to arrive is worth more than to look well.
func (l *Look) Wrap(m *rohrpost.Message) (*rohrpost.Message, error) {
	if l == nil || !l.Enabled || m.HTML == "" {
		return m, nil
	}
	out, err := l.wrap(m)
	if err != nil {
		return m, err
	}
	return out, nil
}

func (l *Look) wrap(m *rohrpost.Message) (*rohrpost.Message, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if len(m.HTML) > MaxHTML {
		return nil, errLarge
	}
	mail, err := read(m.HTML)
	if err != nil {
		return nil, err
	}
	p := page{Look: l.withDefaults(), Title: cmp.Or(mail.title(), m.Subject), Plain: !mail.colored}
	out := *m
	if logo := p.Logo; len(logo.Content) > 0 {
		p.LogoID = logoID(logo.Content, m.Attachments)
		out.Attachments = append(slices.Clip(m.Attachments), rohrpost.Attachment{
			Name:        "logo." + strings.TrimPrefix(logo.ContentType, "image/"),
			ContentType: logo.ContentType,
			ContentID:   p.LogoID,
			Content:     logo.Content,
		})
	}
	if out.HTML, err = p.write(mail); err != nil {
		return nil, err
	}
	return &out, nil
}

// logoID is a content id (RFC 2392) that none of the attachments has. Equal
// logos have equal ids, so a mail that quotes a branded one needs another.
func logoID(logo []byte, taken []rohrpost.Attachment) string {
	sum := sha256.Sum256(logo)
	for n := 1; ; n++ {
		id := fmt.Sprintf("logo%d.%x@rohrpost.invalid", n, sum[:8])
		if !slices.ContainsFunc(taken, func(a rohrpost.Attachment) bool { return strings.EqualFold(a.ContentID, id) }) {
			return id
		}
	}
}

// A page is what the frame's template shows.
type page struct {
	Look
	Title  string
	LogoID string
	Plain  bool // the mail has no colors of its own
}

// Scheme keeps mail programs from turning the colors around: those of the look,
// or of a mail that was made for a white page.
func (p *page) Scheme() string {
	if p.Plain && isDark(p.Colors.Card) {
		return "dark"
	}
	return "light"
}

// HeaderColor is for the company's name, or what stands in for its logo.
func (p *page) HeaderColor() string {
	return readable(p.Colors.Background, p.Colors.Text, p.Colors.Footer)
}

// HeaderPadding is, in px, what aligns the header with the text in the card. A
// logo too wide for that reaches from edge to edge: Outlook would not shrink it.
func (p *page) HeaderPadding() int {
	if p.Logo.Width > maxWidth-2*padding {
		return 0
	}
	return padding
}

// OpenOutlook begins what [page.CloseOutlook] ends.
func (*page) OpenOutlook() template.HTML { return openOutlook }

// CloseOutlook ends what [page.OpenOutlook] begins.
func (*page) CloseOutlook() template.HTML { return closeOutlook }

func (p *page) write(mail *document) (string, error) {
	head, err := mail.headHTML()
	if err != nil {
		return "", err
	}
	sheet := mail.sheet(p.Colors)
	cell, err := mail.cell(p.Colors)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(len(cell) + len(head) + len(frameText)*2)
	if err := frame.ExecuteTemplate(&b, "head", p); err != nil {
		return "", err
	}
	b.WriteString(outlookFont)
	b.WriteString(sheet)
	b.WriteString(head)
	if err := frame.ExecuteTemplate(&b, "body", p); err != nil {
		return "", err
	}
	b.WriteString(cell)
	if err := frame.ExecuteTemplate(&b, "end", p); err != nil {
		return "", err
	}
	if mail.fragile && !holds(b.String(), cell) {
		return "", errFragile
	}
	return b.String(), nil
}

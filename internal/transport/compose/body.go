package compose

import (
	"context"
	"net/url"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/plaintext"
	"github.com/rohrpost/rohrpost/internal/transfer"
)

// contentOf is what the mail holds. own is the message as it was given: the text part is
// made from its HTML, not from what a tenant's look puts around it.
func contentOf(ctx context.Context, m, own *rohrpost.Message) (*part, error) {
	inline, attached, err := files(m)
	if err != nil {
		return nil, err
	}
	alternatives, err := bodies(ctx, m, own, inline)
	if err != nil {
		return nil, err
	}
	if m.Calendar != nil {
		alternatives = append(alternatives, textPart("text/calendar; charset=UTF-8; method="+m.Calendar.Method, m.Calendar.Content))
		attached = append(attached, invitation(m.Calendar))
	}
	return one("mixed", append([]*part{one("alternative", alternatives...)}, attached...)...), nil
}

// bodies are the plain text and the HTML after it, as RFC 2046 §5.1.4 wants the best
// alternative last. A mail without any body gets an empty text.
func bodies(ctx context.Context, m, own *rohrpost.Message, inline []*part) ([]*part, error) {
	const plainText, html = "text/plain; charset=UTF-8", "text/html; charset=UTF-8"
	var list []*part
	text := m.Text
	if text == "" && m.HTML != "" && !m.NoTextPart {
		var err error
		if text, err = plaintext.FromHTML(ctx, own.HTML); err != nil {
			return nil, err
		}
	}
	if text != "" || m.HTML == "" {
		list = append(list, textPart(plainText, text))
	}
	if m.HTML != "" {
		related := one(`related; type="text/html"`, append([]*part{textPart(html, m.HTML)}, inline...)...) // RFC 2387 §3.1
		list = append(list, related)
	}
	return list, nil
}

// invitation is the file for people whose mail program shows no button.
func invitation(c *rohrpost.Calendar) *part {
	content := strings.ReplaceAll(transfer.LineFeeds(c.Content), "\n", "\r\n")
	return &part{
		media: `application/ics; name="invite.ics"`, fields: []string{`Content-Disposition: attachment; filename="invite.ics"`},
		encoding: transfer.Base64, file: []byte(content),
	}
}

// shows reports whether an HTML body shows the part of a content id (RFC 2392 §2).
func shows(html, id string) bool {
	return strings.Contains(html, "cid:"+id) || strings.Contains(html, "cid:"+url.PathEscape(id)) || strings.Contains(html, "cid:"+url.QueryEscape(id))
}

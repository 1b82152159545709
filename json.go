package rohrpost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// messageLine is a message without its bodies, as the first line of a payload
// and the base of a message as JSON.
type messageLine struct {
	ID          string            `json:"id,omitempty"`
	Tenant      string            `json:"tenant,omitempty"`
	User        *User             `json:"user,omitempty"`
	Origin      Origin            `json:"origin,omitempty"`
	Category    Category          `json:"category,omitempty"`
	From        *Address          `json:"from,omitempty"`
	ReplyTo     []Address         `json:"reply_to,omitempty"`
	To          []Address         `json:"to,omitempty"`
	Cc          []Address         `json:"cc,omitempty"`
	Bcc         []Address         `json:"bcc,omitempty"`
	Subject     string            `json:"subject,omitempty"`
	Headers     []Header          `json:"headers,omitempty"`
	Attachments []attachmentLine  `json:"attachments,omitempty"`
	Priority    Priority          `json:"priority,omitempty"`
	NotBefore   time.Time         `json:"not_before,omitzero"`
	Expires     time.Time         `json:"expires,omitzero"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	OnUncertain OnUncertain       `json:"on_uncertain,omitempty"`
}

type attachmentLine struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type,omitempty"`
	ContentID   string `json:"content_id,omitempty"`
	Content     []byte `json:"content,omitempty"` // base64; never in a payload
	Digest      string `json:"digest,omitempty"`  // only in a payload
	Size        int64  `json:"size,omitempty"`
}

// messageJSON is a message as people and programs write it.
type messageJSON struct {
	messageLine
	Text string `json:"text,omitempty"`
	HTML string `json:"html,omitempty"`
}

// MarshalJSON writes the message in snake_case, contents as base64.
func (m Message) MarshalJSON() ([]byte, error) {
	out := messageJSON{messageLine: lineOf(&m), Text: m.Text, HTML: m.HTML}
	for i := range out.Attachments {
		out.Attachments[i].Content = m.Attachments[i].Content
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes. An unknown field is an error.
func (m *Message) UnmarshalJSON(b []byte) error {
	var in messageJSON
	if err := strictUnmarshal(b, &in); err != nil {
		return err
	}
	for i, a := range in.Attachments {
		if a.Digest != "" || a.Size != 0 {
			return fmt.Errorf("attachments[%d]: digest and size are set by the producer", i)
		}
	}
	*m = in.message()
	m.Text, m.HTML = in.Text, in.HTML
	return nil
}

func lineOf(m *Message) messageLine {
	l := messageLine{
		ID: m.ID, Tenant: m.Tenant, Origin: m.Origin, Category: m.Category,
		ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, Bcc: m.Bcc,
		Subject: m.Subject, Headers: m.Headers, Priority: m.Priority,
		NotBefore: m.NotBefore, Expires: m.Expires, Metadata: m.Metadata, OnUncertain: m.OnUncertain,
	}
	if m.User != (User{}) {
		l.User = &m.User
	}
	if m.From != (Address{}) {
		l.From = &m.From
	}
	for _, a := range m.Attachments {
		l.Attachments = append(l.Attachments, attachmentLine{
			Name: a.Name, ContentType: a.ContentType, ContentID: a.ContentID, Digest: a.Digest, Size: a.Size,
		})
	}
	return l
}

func (l *messageLine) message() Message {
	m := Message{
		ID: l.ID, Tenant: l.Tenant, Origin: l.Origin, Category: l.Category,
		ReplyTo: l.ReplyTo, To: l.To, Cc: l.Cc, Bcc: l.Bcc,
		Subject: l.Subject, Headers: l.Headers, Priority: l.Priority,
		NotBefore: l.NotBefore, Expires: l.Expires, Metadata: l.Metadata, OnUncertain: l.OnUncertain,
	}
	if l.User != nil {
		m.User = *l.User
	}
	if l.From != nil {
		m.From = *l.From
	}
	for _, a := range l.Attachments {
		m.Attachments = append(m.Attachments, Attachment(a))
	}
	return m
}

// strictUnmarshal refuses unknown fields and anything after the value.
func strictUnmarshal(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("unexpected text after the JSON value")
	}
	return nil
}

package rohrpost

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"
)

// messageFields are what a message as JSON and a payload write alike.
type messageFields struct {
	ID          string            `json:"id,omitempty"`
	Tenant      string            `json:"tenant,omitempty"`
	User        User              `json:"user,omitzero"`
	Origin      Origin            `json:"origin,omitempty"`
	Category    Category          `json:"category,omitempty"`
	Subject     string            `json:"subject,omitempty"`
	Headers     []Header          `json:"headers,omitempty"`
	Priority    Priority          `json:"priority,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	OnUncertain OnUncertain       `json:"on_uncertain,omitempty"`
}

func (m *Message) fields() messageFields {
	return messageFields{
		ID: m.ID, Tenant: m.Tenant, User: m.User, Origin: m.Origin, Category: m.Category, Subject: m.Subject,
		Headers: m.Headers, Priority: m.Priority, Metadata: m.Metadata, OnUncertain: m.OnUncertain,
	}
}

func (f *messageFields) message() Message {
	return Message{
		ID: f.ID, Tenant: f.Tenant, User: f.User, Origin: f.Origin, Category: f.Category, Subject: f.Subject,
		Headers: f.Headers, Priority: f.Priority, Metadata: f.Metadata, OnUncertain: f.OnUncertain,
	}
}

// messageJSON is a message as people and programs write it.
type messageJSON struct {
	messageFields
	From        Address     `json:"from,omitzero"`
	ReplyTo     addressList `json:"reply_to,omitempty"`
	To          addressList `json:"to,omitempty"`
	Cc          addressList `json:"cc,omitempty"`
	Bcc         addressList `json:"bcc,omitempty"`
	Text        string      `json:"text,omitempty"`
	HTML        string      `json:"html,omitempty"`
	Attachments []fileJSON  `json:"attachments,omitempty"`
	NotBefore   time.Time   `json:"not_before,omitzero"`
	Expires     time.Time   `json:"expires,omitzero"`
}

type fileJSON struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type,omitempty"`
	ContentID   string `json:"content_id,omitempty"`
	Content     []byte `json:"content"` // base64
}

// MarshalJSON writes the message in snake_case, contents as base64. Digest and
// Size of an attachment are not part of it.
func (m Message) MarshalJSON() ([]byte, error) {
	out := messageJSON{
		messageFields: m.fields(), From: m.From, ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, Bcc: m.Bcc,
		Text: m.Text, HTML: m.HTML, NotBefore: m.NotBefore, Expires: m.Expires,
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, fileJSON{
			Name: a.Name, ContentType: a.ContentType, ContentID: a.ContentID, Content: a.Content,
		})
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes. An unknown field is an error, and so is
// one that is there twice. An address may be a string, "a@b.example" or "Name <a@b.example>", and a list of
// one address may be that address.
func (m *Message) UnmarshalJSON(b []byte) error {
	var in messageJSON
	if err := strictUnmarshal(b, &in); err != nil {
		return err
	}
	if err := uniqueKeys(b); err != nil {
		return err
	}
	*m = in.message()
	m.From, m.ReplyTo, m.To, m.Cc, m.Bcc = in.From, in.ReplyTo, in.To, in.Cc, in.Bcc
	m.Text, m.HTML, m.NotBefore, m.Expires = in.Text, in.HTML, in.NotBefore, in.Expires
	m.Attachments = slices.Grow(m.Attachments, len(in.Attachments))
	for _, a := range in.Attachments {
		m.Attachments = append(m.Attachments, Attachment{
			Name: a.Name, ContentType: a.ContentType, ContentID: a.ContentID, Content: a.Content,
		})
	}
	return nil
}

// addressList is a list of addresses that may be written as one address.
type addressList []Address

func (l *addressList) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte{'{'}) || bytes.HasPrefix(b, []byte{'"'}) {
		*l = make(addressList, 1)
		return (*l)[0].UnmarshalJSON(b)
	}
	return json.Unmarshal(b, (*[]Address)(l))
}

// UnmarshalJSON takes {"name","address"} or a string that ParseAddress reads.
func (a *Address) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte{'"'}) {
		type plain Address // without this method
		return strictUnmarshal(b, (*plain)(a))
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	parsed, err := ParseAddress(s)
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// strictUnmarshal refuses unknown fields and anything after the value.
func strictUnmarshal(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("unexpected text after the JSON value")
	}
	return nil
}

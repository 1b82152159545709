package rohrpost

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// messageJSON is a message as people and programs write it.
type messageJSON struct {
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
	From        Address           `json:"from,omitzero"`
	ReplyTo     addressList       `json:"reply_to,omitempty"`
	To          addressList       `json:"to,omitempty"`
	Cc          addressList       `json:"cc,omitempty"`
	Bcc         addressList       `json:"bcc,omitempty"`
	Text        string            `json:"text,omitempty"`
	HTML        string            `json:"html,omitempty"`
	NoTextPart  bool              `json:"no_text_part,omitempty"`
	Calendar    *Calendar         `json:"calendar,omitempty"`
	Attachments []Attachment      `json:"attachments,omitempty"`
	Unsubscribe *Unsubscribe      `json:"unsubscribe,omitempty"`
	Raw         []byte            `json:"raw,omitempty"`
	NotBefore   time.Time         `json:"not_before,omitzero"`
	Expires     time.Time         `json:"expires,omitzero"`
}

// MarshalJSON writes the message in snake_case, contents as base64.
func (m Message) MarshalJSON() ([]byte, error) {
	return json.Marshal(messageJSON{
		ID: m.ID, Tenant: m.Tenant, User: m.User, Origin: m.Origin, Category: m.Category,
		From: m.From, ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, Bcc: m.Bcc,
		Subject: m.Subject, Text: m.Text, HTML: m.HTML, Headers: m.Headers, Attachments: m.Attachments,
		NoTextPart: m.NoTextPart, Calendar: m.Calendar, Unsubscribe: m.Unsubscribe, Raw: m.Raw,
		Priority: m.Priority, NotBefore: m.NotBefore, Expires: m.Expires, Metadata: m.Metadata, OnUncertain: m.OnUncertain,
	})
}

// UnmarshalJSON reads what MarshalJSON writes. An unknown field is an error, and so is
// one that is there twice, and a text that is no UTF-8. An address may be a string, "a@b.example" or "Name <a@b.example>", and a list of
// one address may be that address.
func (m *Message) UnmarshalJSON(b []byte) error {
	var in messageJSON
	if err := strictUnmarshal(b, &in); err != nil {
		return err
	}
	if err := uniqueKeys(b); err != nil {
		return err
	}
	if err := wholeText(b); err != nil {
		return err
	}
	*m = Message{
		ID: in.ID, Tenant: in.Tenant, User: in.User, Origin: in.Origin, Category: in.Category,
		From: in.From, ReplyTo: in.ReplyTo, To: in.To, Cc: in.Cc, Bcc: in.Bcc,
		Subject: in.Subject, Text: in.Text, HTML: in.HTML, Headers: in.Headers, Attachments: in.Attachments,
		NoTextPart: in.NoTextPart, Calendar: in.Calendar, Unsubscribe: in.Unsubscribe, Raw: in.Raw,
		Priority: in.Priority, NotBefore: in.NotBefore, Expires: in.Expires, Metadata: in.Metadata, OnUncertain: in.OnUncertain,
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

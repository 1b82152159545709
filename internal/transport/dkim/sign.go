package dkim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// ErrMessage is the identity of every refusal of a message.
var ErrMessage = errors.New("cannot be signed")

// Signers are the keys by their domains.
type Signers struct{ keys map[string][]*Key }

// New refuses two keys of the same name: there is one record for both.
func New(keys ...*Key) (*Signers, error) {
	s := &Signers{keys: map[string][]*Key{}}
	names := map[string]bool{}
	for _, k := range keys {
		name := strings.ToLower(k.Name())
		if names[name] {
			return nil, fmt.Errorf("%w: there are two of the name %s", ErrKey, name)
		}
		names[name] = true
		s.keys[k.Domain] = append(s.keys[k.Domain], k)
	}
	return s, nil
}

// For is the keys that sign for the domain of a From, exactly that: none for a domain
// above or below. The domain may be international.
func (s *Signers) For(domain string) []*Key {
	ascii, err := normal(domain)
	if s == nil || err != nil {
		return nil
	}
	return s.keys[ascii]
}

// signed are the fields that a signature covers (RFC 6376 §5.4.1), each of which occurs
// once at most. Those with oversigned may not be added, either, nor a second one, of
// which readers would show another than was signed (§8.15). Mailing lists add the others.
func signed() []struct {
	name       string
	oversigned bool
} {
	return []struct {
		name       string
		oversigned bool
	}{
		{"From", true},
		{"To", true},
		{"Cc", true},
		{"Subject", true},
		{"Date", true},
		{"Message-ID", true},
		{"Reply-To", true},
		{"MIME-Version", true},
		{"Content-Type", true},
		{"Content-Transfer-Encoding", true},
		{"In-Reply-To", false},
		{"References", false},
		{"Auto-Submitted", false},
		{"List-Unsubscribe", false},      // RFC 8058 §4 wants both
		{"List-Unsubscribe-Post", false}, //
	}
}

// Sign puts a DKIM-Signature of each key in front of a message, which has CRLF line ends,
// in the order of the keys. They are relaxed, which survives folding and white space that
// servers change; t= is the time at which it is called. The error is ErrMessage, wrapped,
// for a message without From or with several fields where one is allowed.
func Sign(message []byte, keys []*Key) ([]byte, error) {
	if len(keys) == 0 {
		return message, nil
	}
	header, body, found := bytes.Cut(message, []byte("\r\n\r\n"))
	if !found {
		return nil, fmt.Errorf("%w: no empty line with CRLF ends the header", ErrMessage)
	}
	fields, err := unfolded(header)
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	var names []string
	for _, f := range signed() {
		line, there := fields[strings.ToLower(f.name)]
		if there {
			lines.WriteString(line + "\r\n")
			names = append(names, f.name)
		}
		if f.oversigned {
			names = append(names, f.name)
		}
	}
	lines.WriteString("\r\n")
	var out []byte
	for _, k := range keys {
		signature, err := k.sign(names, lines.Bytes(), body)
		if err != nil {
			return nil, fmt.Errorf("sign as %s: %w", k.Name(), err)
		}
		if out == nil {
			out = make([]byte, 0, len(message)+len(keys)*(len(signature)+512))
		}
		out = append(out, signature...)
	}
	return append(out, message...), nil
}

// unfolded is the fields that are signed, each on one line: relaxed canonicalization
// (RFC 6376 §3.4.2) would do the same.
func unfolded(header []byte) (map[string]string, error) {
	known := map[string]bool{}
	for _, f := range signed() {
		known[strings.ToLower(f.name)] = true
	}
	fields := map[string]string{}
	var field strings.Builder
	keep := func() error {
		line := field.String()
		name, _, _ := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := fields[name]; twice && known[name] {
			return fmt.Errorf("%w: there is more than one field %s", ErrMessage, name)
		}
		if known[name] {
			fields[name] = line
		}
		field.Reset()
		return nil
	}
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		if len(line) > 0 && line[0] != ' ' && line[0] != '\t' {
			if err := keep(); err != nil {
				return nil, err
			}
		}
		field.Write(line)
	}
	if err := keep(); err != nil {
		return nil, err
	}
	if _, ok := fields["from"]; !ok {
		return nil, fmt.Errorf("%w: there is no From (RFC 6376 §5.4)", ErrMessage)
	}
	return fields, nil
}

func (k *Key) sign(names []string, header, body []byte) (string, error) {
	s, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: k.Domain, Selector: k.Selector, Signer: k.signer, HeaderKeys: names,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return "", err
	}
	_, err = io.Copy(s, io.MultiReader(bytes.NewReader(header), bytes.NewReader(body)))
	if err = errors.Join(err, s.Close()); err != nil {
		return "", err
	}
	return s.Signature(), nil
}

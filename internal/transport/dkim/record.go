package dkim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What is wrong with a published record. With each of them but ErrTesting, nobody can
// verify what the key has signed.
var (
	ErrMissing   = errors.New("there is no DKIM record")
	ErrMalformed = errors.New("the DKIM record is malformed")
	ErrRevoked   = errors.New("the DKIM record says that the key is revoked")
	ErrOtherKey  = errors.New("the DKIM record has another key")
	ErrUnfit     = errors.New("the DKIM record does not allow such signatures")
	ErrTesting   = errors.New("the DKIM record says that the domain is only testing DKIM")
)

// Compare tells whether a published TXT record, its strings joined, is that of the key;
// "" is none. The error is one of the above, ErrTesting if there is nothing else.
func (k *Key) Compare(record string) error {
	if strings.TrimSpace(record) == "" {
		return ErrMissing
	}
	tags, err := tagsOf(record)
	if err != nil {
		return err
	}
	value, found := tags["p"]
	if kind, said := tags["k"]; said && kind != k.kind || !said && k.kind != RSA {
		return fmt.Errorf("%w: of another kind than %s", ErrOtherKey, k.kind)
	}
	public, err := base64.StdEncoding.DecodeString(value)
	switch {
	case !found:
		return fmt.Errorf("%w: it has no p=", ErrMalformed)
	case value == "":
		return ErrRevoked
	case err != nil:
		return fmt.Errorf("%w: p= is no base64", ErrMalformed)
	case !bytes.Equal(public, k.public):
		return ErrOtherKey
	}
	for tag, want := range map[string]string{"h": "sha256", "s": "email"} {
		if list, said := tags[tag]; said && !slices.Contains(strings.Split(list, ":"), want) && list != "*" {
			return fmt.Errorf("%w: %s= has no %s", ErrUnfit, tag, want)
		}
	}
	if slices.Contains(strings.Split(tags["t"], ":"), "y") {
		return ErrTesting
	}
	return nil
}

// tagsOf reads a tag list (RFC 6376 §3.2), without white space: no value of a record needs it.
func tagsOf(record string) (map[string]string, error) {
	tags := map[string]string{}
	for i, tag := range strings.Split(record, ";") {
		tag = strings.Join(strings.Fields(tag), "")
		if tag == "" {
			continue
		}
		name, value, found := strings.Cut(tag, "=")
		_, twice := tags[name]
		switch {
		case !found || name == "":
			return nil, fmt.Errorf("%w: it is no list of tags", ErrMalformed)
		case twice:
			return nil, fmt.Errorf("%w: a tag occurs twice", ErrMalformed)
		case name == "v" && (i > 0 || value != "DKIM1"):
			return nil, fmt.Errorf("%w: it must begin with v=DKIM1", ErrMalformed)
		}
		tags[name] = value
	}
	return tags, nil
}

package idn_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/idn"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	for address, tt := range map[string]struct {
		want  string
		utf8  bool
		fails bool
	}{
		"max@acme.example":             {want: "max@acme.example"},
		"Max@ACME.example":             {want: "Max@ACME.example"},
		"max@bücher.example":           {want: "max@xn--bcher-kva.example"},
		"jörg@acme.example":            {want: "jörg@acme.example", utf8: true},
		"jörg@bücher.example":          {want: "jörg@xn--bcher-kva.example", utf8: true},
		"max@[IPv6:2001:db8::1]":       {want: "max@[IPv6:2001:db8::1]"},
		"max@xn--zzzz.example":         {want: "max@xn--zzzz.example"}, // somebody wrote it so
		"info@müller_gmbh.example":     {fails: true},
		"info@xn--zzzz.müller.example": {fails: true},
	} {
		got, utf8, err := idn.Address(address)
		if got != tt.want || utf8 != tt.utf8 || (err != nil) != tt.fails {
			t.Errorf("%s: %q, %v, %v", address, got, utf8, err)
		}
	}
}

func TestASCII(t *testing.T) {
	t.Parallel()
	for at := range 20 {
		s := []byte("xxxxxxxxxxxxxxxxxxxx")
		if !idn.ASCII(string(s)) {
			t.Error("plain text")
		}
		s[at] = 0x80
		if idn.ASCII(string(s)) {
			t.Errorf("an octet at %d", at)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"a@ACME.example": "acme.example", "a@bücher.example": "xn--bcher-kva.example", "a@[192.0.2.1]": "rohrpost.invalid",
		"a@localhost": "rohrpost.invalid", "a@müller_gmbh.example": "rohrpost.invalid", "": "rohrpost.invalid",
	} {
		if got := idn.Name(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func TestHashPassword(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"zehn Zeich\n", "zehn Zeich", "zehn Zeich\r\n"} {
		r := fine(t, call(t, in, "web", "hash-password"))
		hash := strings.TrimSuffix(r.out, "\n")
		if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte("zehn Zeich")); err != nil {
			t.Errorf("%q: %v", r.out, err)
		}
		if cost, err := bcrypt.Cost([]byte(hash)); cost != 12 || err != nil {
			t.Errorf("cost %d, %v", cost, err)
		}
	}
}

func TestPasswordTwice(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		typed []string
		want  string // of the error; empty: none
	}{
		"same":         {[]string{"0123456789", "0123456789"}, ""},
		"72 octets":    {[]string{strings.Repeat("ä", 36), strings.Repeat("ä", 36)}, ""},
		"not the same": {[]string{"0123456789", "0123456788"}, "not the same"},
		"empty":        {[]string{""}, "empty"},
		"short":        {[]string{"ä12345678"}, "9 characters"},
		"long":         {[]string{strings.Repeat("ä", 36) + "x"}, "73 octets"},
		"interrupted":  {nil, "EOF"},
		"again":        {[]string{"0123456789"}, "EOF"},
	}
	for name, tt := range tests {
		got, err := twice(func(string) (string, error) {
			if len(tt.typed) == 0 {
				return "", io.EOF
			}
			line := tt.typed[0]
			tt.typed = tt.typed[1:]
			return line, nil
		})
		if tt.want == "" && (err != nil || got == "") || tt.want != "" && (err == nil || got != "" || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if tt.want == "EOF" && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

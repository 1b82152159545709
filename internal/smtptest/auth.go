package smtptest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

var errLogin = errors.New("wrong user name or password")

// auth is RFC 4954 with the mechanisms of the options.
func (ss *session) auth(rest string) error {
	o := &ss.server.options
	answer := ss.server.visit(AUTH)
	if !answer.usual() {
		sent, err := ss.answer(answer, 0, "")
		if sent == 235 {
			ss.known, ss.username = true, o.Username
		}
		return err
	}
	mechanism, initial, _ := strings.Cut(rest, " ")
	mechanism = strings.ToUpper(mechanism)
	if !o.login() || !slices.Contains(o.Mechanisms, mechanism) {
		_, err := ss.answer(answer, 504, "5.5.4 mechanism not offered")
		return err
	}
	err := ss.login(mechanism, initial)
	switch {
	case errors.Is(err, errLogin):
		_, err = ss.answer(answer, 535, "5.7.8 authentication credentials invalid")
		return err
	case err != nil:
		return err
	}
	ss.known = true
	_, err = ss.answer(answer, 235, "2.7.0 authentication successful")
	return err
}

func (ss *session) login(mechanism, initial string) error {
	o := &ss.server.options
	if mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER" {
		return ss.bearer(mechanism, initial)
	}
	ss.username = o.Username
	switch mechanism {
	case "PLAIN":
		got, err := ss.response(initial, "")
		return check(got == "\x00"+o.Username+"\x00"+o.Password, err)
	case "LOGIN":
		name, err := ss.response(initial, "Username:")
		if err != nil {
			return err
		}
		password, err := ss.response("", "Password:")
		return check(name == o.Username && password == o.Password, err)
	case "CRAM-MD5":
		const challenge = "<1896.697170952@smtptest.example>"
		got, err := ss.response("", challenge)
		mac := hmac.New(md5.New, []byte(o.Password))
		mac.Write([]byte(challenge))
		return check(got == fmt.Sprintf("%s %x", o.Username, mac.Sum(nil)), err)
	default:
		return ss.scram(initial)
	}
}

func check(ok bool, err error) error {
	if err == nil && !ok {
		return errLogin
	}
	return err
}

// response is the initial response, or what the client answers to a challenge.
func (ss *session) response(initial, challenge string) (string, error) {
	if initial == "" {
		text := base64.StdEncoding.EncodeToString([]byte(challenge))
		if _, err := ss.answer(Answer{}, 334, text); err != nil {
			return "", err
		}
		var err error
		if initial, err = ss.line(); err != nil {
			return "", err
		}
	}
	b, err := base64.StdEncoding.DecodeString(initial)
	if err != nil {
		return "", errLogin // "*" too
	}
	return string(b), nil
}

// scram is SCRAM-SHA-256 without channel binding (RFC 5802 §3, RFC 7677).
func (ss *session) scram(initial string) error {
	const iterations = 4096
	salt := []byte("smtptest salt")
	first, err := ss.response(initial, "")
	if err != nil {
		return err
	}
	bare, ok := strings.CutPrefix(first, "n,,")
	_, nonce, hasNonce := strings.Cut(bare, ",r=")
	if !ok || !hasNonce {
		return errLogin
	}
	nonce += "smtptest"
	serverFirst := fmt.Sprintf("r=%s,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString(salt), iterations)
	final, err := ss.response("", serverFirst)
	if err != nil {
		return err
	}
	withoutProof, proof, _ := strings.Cut(final, ",p=")
	salted, err := pbkdf2.Key(sha256.New, ss.server.options.Password, salt, iterations, sha256.Size)
	if err != nil {
		return err
	}
	message := []byte(bare + "," + serverFirst + "," + withoutProof)
	clientKey := sum(salted, []byte("Client Key"))
	storedKey := sha256.Sum256(clientKey)
	want := sum(storedKey[:], message)
	for i := range want {
		want[i] ^= clientKey[i]
	}
	if proof != base64.StdEncoding.EncodeToString(want) || withoutProof != "c=biws,r="+nonce {
		return errLogin
	}
	signature := sum(sum(salted, []byte("Server Key")), message)
	_, err = ss.response("", "v="+base64.StdEncoding.EncodeToString(signature))
	return err
}

func sum(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

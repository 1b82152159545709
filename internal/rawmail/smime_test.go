package rawmail_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/rawmail"
)

// openssl runs a command of it in a directory that has a key and its certificate.
func openssl(t *testing.T) (run func(in string, args ...string) string) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no openssl on this system")
	}
	dir := t.TempDir()
	run = func(in string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(in)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, errs.String())
		}
		return out.String()
	}
	run("", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "cert.pem"),
		"-subj", "/CN=a@b.example", "-addext", "extendedKeyUsage=emailProtection")
	return run
}

// TestSMIME: what openssl has signed or encrypted, whatever its line ends, it still takes
// when it leaves.
func TestSMIME(t *testing.T) {
	t.Parallel()
	run := openssl(t)
	const part = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe  \n\n-- \nx\n\n"
	sign := []string{"cms", "-sign", "-signer", "cert.pem", "-inkey", "key.pem", "-from", "a@b.example", "-to", "x@y.example", "-subject", "x"}
	verify := []string{"cms", "-verify", "-CAfile", "cert.pem"}
	other := options()
	other.From.Address = "other@y.example"
	other.EightBit = true
	for name, tt := range map[string]struct {
		make, read []string
		signed     bool
	}{
		"signed":            {sign, verify, true},
		"signed, CRLF":      {append(slices.Clip(sign), "-crlfeol"), verify, true},
		"signed as it is":   {append(slices.Clip(sign), "-binary", "-crlfeol"), verify, true},
		"opaquely signed":   {append(slices.Clip(sign), "-nodetach"), verify, true},
		"encrypted":         {[]string{"cms", "-encrypt", "-aes256", "-from", "a@b.example", "cert.pem"}, []string{"cms", "-decrypt", "-recip", "cert.pem", "-inkey", "key.pem"}, false},
		"encrypted, smime":  {[]string{"smime", "-encrypt", "-aes256", "-from", "a@b.example", "cert.pem"}, []string{"smime", "-decrypt", "-recip", "cert.pem", "-inkey", "key.pem"}, false},
		"signed with smime": {append([]string{"smime"}, sign[1:]...), append([]string{"smime"}, verify[1:]...), true},
	} {
		for _, o := range []rawmail.Options{options(), other} {
			raw := "Bcc: hidden@y.example\n" + run(crlf(part), tt.make...)
			info, err := rawmail.Parse([]byte(raw))
			if err != nil || info.Signed != tt.signed || info.Encrypted == tt.signed {
				t.Fatalf("%s: %+v, %v", name, info, err)
			}
			out := edited(t, raw, o)
			if got := run(out, tt.read...); got != crlf(part) {
				t.Errorf("%s: %q", name, got)
			}
			_, before, _ := strings.Cut(strings.ReplaceAll(raw, "\r\n", "\n"), "\n\n")
			_, after, _ := strings.Cut(out, "\r\n\r\n")
			if after != crlf(before) {
				t.Errorf("%s: the body became %q", name, after)
			}
			if strings.Contains(out, "hidden@") {
				t.Errorf("%s: Bcc in %q", name, out)
			}
		}
	}
}

// TestPGP: a signed body keeps every octet (RFC 3156 §5), also beneath a part that does not.
func TestPGP(t *testing.T) {
	t.Parallel()
	const signed = "Content-Type: multipart/signed; micalg=pgp-sha512;\n protocol=\"application/pgp-signature\"; boundary=\"s s\"\n\n" +
		"preamble\n--s s\nContent-Type: text/plain\n  ; x=\"--s\"\n\nTrailing blanks are part of it =20\n\n--s\n.\n\n" +
		"--s s\nContent-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n\n--s s--\n"
	_, body, _ := strings.Cut(signed, "\n\n")
	o := options()
	o.From = rohrpost.Address{Address: "other@b.example"}
	for _, raw := range []string{head + signed, crlf(head + signed)} {
		if out := edited(t, raw, o); !strings.HasSuffix(out, "\r\n\r\n"+crlf(body)) {
			t.Errorf("%q", out)
		}
	}
	attached := crlf(head + "Content-Type: multipart/mixed; boundary=m\n\n--m\n" + signed + "--m\n\nGrüße\n--m--\n")
	if out := edited(t, attached, o); !strings.Contains(out, crlf(signed)) || !strings.Contains(out, "Gr=C3=BC=C3=9Fe") {
		t.Errorf("%q", out)
	}
}

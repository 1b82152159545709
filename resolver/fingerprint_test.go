package resolver_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
)

func TestFingerprint(t *testing.T) {
	t.Parallel()
	checkPrint(t, (*resolver.Account).Fingerprint)
}

// TestFingerprintReveals only 16 bits of a password: who tries them out finds
// others that look the same, and does not know which it is.
func TestFingerprintReveals(t *testing.T) {
	t.Parallel()
	printOf := func(password string) string {
		a := complete(tenant())
		a.SMTP.Password = resolver.NewSecret(password)
		return a.Fingerprint()
	}
	// Found by trying 250,000 guesses.
	for _, guess := range []string{"guess-101614", "guess-217926", "guess-227514"} {
		if printOf(guess) != printOf("canary-hunter2") {
			t.Errorf("%s can be told from the password", guess)
		}
	}
	if printOf("canary-hunter2") == printOf("canary-hunter3") || printOf("canary-hunter2") == printOf("") {
		t.Error("a changed password is not seen")
	}
	other := complete(tenant())
	other.Tenant = "globex"
	if other.Fingerprint() == printOf("canary-hunter2") {
		t.Error("two tenants with one password look alike")
	}
}

// TestFingerprintElsewhere asks another process, in which Version is another.
func TestFingerprintElsewhere(t *testing.T) {
	t.Parallel()
	const ask = "ROHRPOST_TEST_FINGERPRINT"
	a := complete(tenant())
	if path := os.Getenv(ask); path != "" {
		write(t, path, a.Fingerprint()+" "+a.Version())
		return
	}
	path := t.TempDir() + "/answer"
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFingerprintElsewhere$")
	other.Env = append(os.Environ(), ask+"="+path)
	if out, err := other.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	answer, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, version, _ := strings.Cut(string(answer), " ")
	if fingerprint != a.Fingerprint() || version == a.Version() {
		t.Errorf("the other process says %q, this one %q %q", answer, a.Fingerprint(), a.Version())
	}
}

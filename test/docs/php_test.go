package docs

import (
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/rohrpost/rohrpost/internal/adminlink"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// linkSecret is the one of the application in docs/adminlink.md.
const linkSecret = "0123456789abcdef0123456789abcdef"

// phpFrame stands before a snippet, and has it print where it would lead a browser. In a
// namespace the functions here go before those of PHP.
const phpFrame = `<?php
namespace snippet;
function header(string $line, bool $replace, int $status): void { echo $line; }
function file_get_contents(string $path): string { return "` + linkSecret + `\r\n"; }
`

// php runs a snippet that makes a signed link, and comes in by it: with the clock as it is.
func (r *reader) php(b passage) {
	if _, err := exec.LookPath("php"); err != nil {
		if os.Getenv("CI") != "" {
			r.fail(b, "there is no php: %v", err)
		}
		r.count("php (there is none)")
		return
	}
	r.site.write("link.php", phpFrame+b.text)
	out, err := r.site.run("php link.php")
	if err != nil {
		r.fail(b, "%v\n%s", err, out)
		return
	}
	link, err := url.Parse(strings.TrimPrefix(out, "Location: "))
	if err != nil || link.Path != "/sso" {
		r.fail(b, "it leads to %q: %v", out, err)
		return
	}
	verifier, err := adminlink.New(adminlink.Options{
		Issuers: []adminlink.Issuer{{Name: "crm", Secret: secret.New(linkSecret)}}, Redis: r.site.redis.Client(r.T),
	})
	if err != nil {
		r.Fatal(err)
	}
	if got, _, err := verifier.Redeem(r.Context(), link.Query().Get("token")); err != nil || got.Subject != "4711" || got.Name != "Max Muster" || got.Tenant != "acme" {
		r.fail(b, "%+v, %v", got, err)
	}
	r.count("php run")
}

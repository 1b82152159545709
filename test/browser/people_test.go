package browser

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer/adminlink"
)

// A person comes from an application, by a signed link. The zero one is nobody.
type person struct{ name, role, tenant, user string }

// The people of the world.
var (
	nobody    = person{}
	olga      = person{name: "olga", role: adminlink.Operator}
	anna      = person{name: "anna", role: adminlink.Admin, tenant: "acme"}
	ines      = person{name: "ines", role: adminlink.Admin, tenant: "initech"}
	rita      = person{name: "rita", role: adminlink.Reader, tenant: "initech"}
	maxBrandt = person{name: "max", role: adminlink.User, tenant: "acme", user: "max"}
)

// address is the person's own mailbox.
func (p person) address() string {
	if p.tenant == "" {
		return p.name + "@nordwind.example"
	}
	return p.name + "@" + p.tenant + ".example"
}

// linkSecret is what the application and the pages share.
const linkSecret = "an-application-and-the-pages-share-this"

// signed is a link that lets a person in, once.
func (s *site) signed(t *testing.T, p person, lang string) string {
	t.Helper()
	signer, err := adminlink.NewSecret("crm", rohrpost.NewSecret(linkSecret))
	if err != nil {
		t.Fatal(err)
	}
	l := adminlink.Link{
		Subject: p.name, Name: strings.ToUpper(p.name[:1]) + p.name[1:] + s.spice, Email: p.address(), Tenant: s.named(p.tenant), Role: p.role,
		Language: lang, Zone: "Europe/Berlin", ReturnURL: "https://crm.example/",
	}
	if p.user != "" {
		l.Place = adminlink.UserPlace(s.named(p.user))
	}
	link, err := signer.URL(s.public, l)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// A robot does what a person's browser would do, without showing anything.
type robot struct {
	t      *testing.T
	site   *site
	client *http.Client
}

// robot signs in as somebody.
func (s *site) robot(t *testing.T, p person) *robot {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &robot{t, s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if status, _ := c.do(http.MethodGet, s.signed(t, p, "de"), ""); status != http.StatusSeeOther || len(jar.Cookies(s.origin())) == 0 {
		t.Fatalf("%s does not come in: %d", p.name, status)
	}
	return c
}

// post sends a form, with headers in pairs.
func (c *robot) post(f form, header ...string) int {
	c.t.Helper()
	status, _ := c.do(http.MethodPost, c.site.public+f.Action, f.Body, append(header, "Content-Type", "application/x-www-form-urlencoded")...)
	return status
}

func (c *robot) do(method, address, body string, header ...string) (status int, page string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

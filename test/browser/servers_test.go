package browser

import (
	"encoding/pem"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// owners are the domains whose mail servers stand on this machine.
var owners = []string{"nordwind", "acme", "initech", "globex", "hooli"}

// hostsFile gives their names to the program.
func hostsFile() string {
	var b strings.Builder
	for _, owner := range owners {
		fmt.Fprintf(&b, "127.0.0.1 %s\n", mailHost(owner))
	}
	return b.String()
}

func mailHost(owner string) string { return "mail." + owner + ".example" }

// peers are the servers that accounts use.
type peers struct {
	mail   map[string]*mailServer // by owner
	tokens *oauthtest.Server      // where people sign in for OAuth2
	ports  []string
	roots  strings.Builder // the certificates, in PEM
}

// A mailServer wants STARTTLS and the login of its owner's mailbox.
type mailServer struct {
	*smtptest.Server
	owner string
}

// newPeers starts all of them.
func newPeers(t *testing.T) *peers {
	t.Helper()
	p := &peers{mail: map[string]*mailServer{}}
	for _, owner := range owners {
		m := &mailServer{owner: owner}
		certificate := smtptest.SelfSigned(t, mailHost(owner))
		m.Server = smtptest.Start(t, smtptest.Options{TLS: certificate, Username: m.mailbox(), Password: m.password()})
		p.mail[owner] = m
		p.add(strconv.Itoa(m.Port()), certificate.Certificates[0].Certificate[0])
	}
	certificate := smtptest.SelfSigned(t, "127.0.0.1")
	p.tokens = oauthtest.Start(t, oauthtest.Options{TLS: true, Certificate: certificate})
	u, err := url.Parse(p.tokens.TokenURL())
	if err != nil {
		t.Fatal(err)
	}
	p.add(u.Port(), certificate.Certificates[0].Certificate[0])
	return p
}

func (p *peers) add(port string, der []byte) {
	p.ports = append(p.ports, port)
	p.roots.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (m *mailServer) mailbox() string { return "post@" + m.owner + ".example" }

func (m *mailServer) password() string { return m.owner + "-geheim" }

// settings are those with which an account uses the server; more are further keys.
func (m *mailServer) settings(name, more string) string {
	return fmt.Sprintf("{address: %s, name: %q, smtp: {host: %s, port: %d, encryption: starttls, password: %s}%s}",
		m.mailbox(), name, mailHost(m.owner), m.Port(), m.password(), more)
}

package docs

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"image"
	"image/png"
)

// A scene is what a page takes to be there before a command: files, settings, a
// running worker. The scenes of a page come in its order.
type scene struct {
	before string // how the command begins
	do     func(*site)
}

var scenes = map[string][]scene{
	"README.md": {
		{"rohrpost send --tenant acme", func(s *site) {
			s.write("R-4711.pdf", "%PDF-1.4")
			s.write("mails.jsonl", `{"tenant":"acme","to":[{"address":"kunde@example.org"}],"subject":"a","text":"b"}`+"\n")
		}},
		{"rohrpost keygen", func(s *site) {
			acceptTenants(s)
			s.env["ROHRPOST_SECRETS_IDENTITY_FILE"] = "key.txt"
			s.write("acme.yaml", s.account(password))
		}},
	},
	"docs/accounts.md": {
		{"rohrpost account unlock", func(s *site) {
			acceptTenants(s)
			accountFiles(s)
			s.must("rohrpost keygen -o site-key.txt")
			s.env["ROHRPOST_SECRETS_IDENTITY_FILE"] = "site-key.txt"
			for _, step := range []string{"UNLOCK", "CHECK", "APPROVAL"} {
				s.env["ROHRPOST_ACCOUNTS_REQUIRE_"+step] = "true"
			}
		}},
		{"rohrpost account show", func(s *site) {
			for _, step := range []string{"UNLOCK", "CHECK", "APPROVAL"} {
				delete(s.env, "ROHRPOST_ACCOUNTS_REQUIRE_"+step)
			}
		}},
		{"rohrpost account set --tenant acme --file acme.yaml", func(s *site) {
			s.must("echo '{address: noreply@platform.example, smtp: {host: smtp.platform.example}}' | rohrpost account set")
			s.write("acme.yaml", s.account(password)+"fallback: platform\n")
		}},
		{"curl", func(s *site) {
			s.serve("{name: anna, role: admin, tenant: acme, address: anna@acme.example, password_bcrypt: %q}")
		}},
		{"rohrpost -c rohrpost.yaml account import", func(s *site) {
			s.write("accounts.yaml", "platform: {address: noreply@platform.example, smtp: {host: smtp.platform.example, password_file: acme-password}}\n")
			s.env["ROHRPOST_SECRETS_RECIPIENTS"] = s.must("sed -n 's/^# public key: //p' site-key.txt")
		}},
		{"rohrpost keygen -o key.txt", func(s *site) {
			for _, name := range []string{"RECIPIENTS", "IDENTITY_FILE"} {
				delete(s.env, "ROHRPOST_SECRETS_"+name)
			}
			if err := s.redis.Client(s.t).FlushAll(s.t.Context()).Err(); err != nil {
				s.t.Fatal(err)
			}
		}},
		{"rohrpost -c rohrpost.yaml account reseal", func(s *site) {
			s.write("rohrpost.yaml", "secrets: {identity_file: key.txt}\n")
			s.must("rohrpost account unlock --tenant acme")
			s.must("rohrpost -c rohrpost.yaml account set --tenant acme --file acme.yaml")
		}},
		{"rohrpost -c rotation.yaml account reseal", func(s *site) {
			s.write("rotation.yaml", "secrets: {identity_file: keys.txt, recipients: ["+s.must("sed -n 's/^# public key: //p' key-2.txt")+"]}\n")
		}},
		{"rohrpost account history", func(s *site) {
			s.env["ROHRPOST_CONFIG"] = "rotation.yaml"
			for _, step := range []string{"CHECK", "APPROVAL"} {
				s.env["ROHRPOST_ACCOUNTS_REQUIRE_"+step] = "true"
			}
			s.must("rohrpost account lock --tenant acme")
			s.must("rohrpost account set --tenant acme --file acme.yaml")
			s.must("rohrpost account unlock --tenant acme")
			s.must("rohrpost account test --tenant acme --to anna@acme.example")
			s.must("rohrpost account approve --tenant acme")
		}},
	},
}

// acceptTenants keeps accounts in Redis, and lets tenants use the servers of the page
// and of the site.
func acceptTenants(s *site) {
	s.env["ROHRPOST_ACCOUNTS_STORE"] = "redis"
	s.env["ROHRPOST_ACCOUNTS_ALLOW_NETWORKS"] = "127.0.0.0/8,192.0.2.0/24"
	s.env["ROHRPOST_ACCOUNTS_ALLOW_PORTS"] = fmt.Sprintf("25,465,587,588,2525,%d", s.mails.Port())
}

// accountFiles are those that the examples name.
func accountFiles(s *site) {
	s.write("acme.yaml", s.account(password))
	s.write("wrong.yaml", s.account("wrong"))
	s.write("microsoft365-password.yaml", s.account("wrong"))
	s.write("acme-password", password)
	s.write("acme-secret", password)
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewGray(image.Rect(0, 0, 180, 60))); err != nil {
		s.t.Fatal(err)
	}
	s.write("acme-logo.png", logo.String())
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	google, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "rohrpost@acme.iam.gserviceaccount.com", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("acme-google.json", string(google))
}

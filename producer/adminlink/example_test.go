package adminlink_test

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer/adminlink"
)

// An application sends its administrator to the account of a tenant, to send a test mail.
func Example() {
	secret, err := os.ReadFile("/run/secrets/rohrpost-link")
	if err != nil {
		log.Fatal(err)
	}
	signer, err := adminlink.NewSecret("crm", rohrpost.NewSecret(strings.TrimSpace(string(secret))))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /settings/mail", func(w http.ResponseWriter, r *http.Request) {
		// The application knows who asks, and that they may.
		link, err := signer.URL("https://mail.example", adminlink.Link{
			Subject: "4711", Name: "Max Muster", Email: "max@acme.example", Tenant: "acme", Role: adminlink.Admin,
			Language: "de", ReturnURL: "https://crm.example/settings", Place: adminlink.PlaceTenant, Action: adminlink.Test,
		})
		if err != nil {
			http.Error(w, "no link", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, link, http.StatusSeeOther)
	})
}

func ExampleLink_Validate() {
	fmt.Println(adminlink.Link{Subject: "4711", Role: adminlink.User, Tenant: "acme", ReturnURL: "javascript:alert(1)"}.Validate())
	// Output: place: must be user/ID: the role user has the account of one user; return_url: is no address of a web page: write https://…
}

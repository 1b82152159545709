// Package adminlink makes the links by which an application brings its people to the
// pages of rohrpost, signed in.
//
//	signer, err := adminlink.NewSecret("crm", secret) // web.links has the same secret
//	…
//	link, err := signer.URL("https://mail.example", adminlink.Link{
//		Subject: "4711", Name: "Max Muster", Email: "max@acme.example",
//		Tenant: "acme", Role: adminlink.Admin, ReturnURL: "https://crm.example/settings",
//	})
//	http.Redirect(w, r, link, http.StatusSeeOther)
//
// A link is good for a minute, and once: make it when the person clicks, and send the
// browser there at once. docs/adminlink.md describes the token for other languages.
package adminlink

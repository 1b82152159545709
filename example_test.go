package rohrpost_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost"
)

func ExampleMessage_Validate() {
	m := rohrpost.Message{
		To:      []rohrpost.Address{{Address: "kunde@example.org"}, {Address: "kunde@"}},
		Subject: "Rechnung\r\nBcc: alle@example.org",
		Text:    "Guten Tag",
	}
	var problems rohrpost.FieldErrors
	if err := m.Validate(time.Now()); errors.As(err, &problems) {
		for _, p := range problems {
			fmt.Printf("%s: %s\n", p.Field, p.Problem)
		}
	}
	// Output:
	// to[1].address: "kunde@": no domain after @: not a mail address
	// subject: contains a line break
}

func ExampleMessage_UnmarshalJSON() {
	const in = `{"tenant": "acme", "to": "Kundin <kundin@example.org>", "subject": "Ihre Rechnung", "text": "Guten Tag"}`
	var m rohrpost.Message
	if err := json.Unmarshal([]byte(in), &m); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s | %s | %s\n", m.To[0].Name, m.To[0].Address, m.Subject)

	fmt.Println(json.Unmarshal([]byte(`{"betreff": "Ihre Rechnung"}`), &m))
	// Output:
	// Kundin | kundin@example.org | Ihre Rechnung
	// json: unknown field "betreff"
}

func ExampleMessage_Recipients() {
	m := rohrpost.Message{
		To:  []rohrpost.Address{{Name: "Kundin", Address: "kundin@example.org"}},
		Cc:  []rohrpost.Address{{Address: "info@acme.example"}},
		Bcc: []rohrpost.Address{{Address: "kundin@EXAMPLE.org"}},
	}
	fmt.Println(m.Recipients())
	// Output: [kundin@example.org info@acme.example]
}

func ExampleState_Final() {
	fmt.Println(rohrpost.Deferred.Final(), rohrpost.Accepted.Final())
	// Output: false true
}

package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

func Example() {
	ctx := context.Background()
	mail, err := producer.Open("redis://127.0.0.1:6379/0")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = mail.Close() }()

	receipt, err := mail.Send(ctx, rohrpost.Message{
		Tenant:  "acme",
		User:    rohrpost.User{ID: "max", FirstName: "Max", LastName: "Muster", Address: "max@acme.example"},
		Origin:  rohrpost.Manual,
		To:      []rohrpost.Address{{Address: "kunde@example.org"}},
		Subject: "Ihre Rechnung",
		Text:    "Guten Tag, anbei die Rechnung.",
		Expires: time.Now().Add(24 * time.Hour),
	}, producer.WithID("invoice-4711"))
	var refused rohrpost.FieldErrors
	switch {
	case errors.As(err, &refused):
		log.Fatal("mend the message: ", refused)
	case err != nil:
		log.Print("send it again as ", receipt.ID, ": ", err)
	}

	status, err := mail.Status(ctx, receipt.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.State)
}

package producertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/producer/producertest"
)

// A Shop is an application. It names what it needs of a producer.Client.
type Shop struct {
	Mail interface {
		Send(ctx context.Context, m rohrpost.Message, opts ...producer.Option) (rohrpost.Receipt, error)
	}
}

// Order confirms an order by mail.
func (s Shop) Order(ctx context.Context, number, customer string) error {
	_, err := s.Mail.Send(ctx, rohrpost.Message{
		Tenant:  "shop",
		To:      []rohrpost.Address{{Address: customer}},
		Subject: "Ihre Bestellung " + number,
		Text:    "Vielen Dank!",
	}, producer.WithID("order-"+number))
	return err
}

func Example() {
	var t testing.T // the test's own
	ctx := context.Background()
	rec := producertest.New(&t)
	shop := Shop{Mail: rec}

	fmt.Println(shop.Order(ctx, "17", "kunde@example.org"))
	fmt.Println(rec.Last().Subject)

	fmt.Println(shop.Order(ctx, "17", "kunde@example.org")) // the id is known: no second mail
	fmt.Println(len(rec.Messages()))

	fmt.Println(shop.Order(ctx, "18", "kunde@"))

	rec.FailNext(errors.New("redis is away"))
	fmt.Println(shop.Order(ctx, "19", "kunde@example.org"))
	// Output:
	// <nil>
	// Ihre Bestellung 17
	// <nil>
	// 1
	// to[0].address: "kunde@": no domain after @: not a mail address
	// enqueue: redis is away
}

package oauth_test

import (
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

func BenchmarkWarmToken(b *testing.B) {
	srv := oauthtest.Start(b, oauthtest.Options{})
	identity, _, err := seal.Generate()
	if err != nil {
		b.Fatal(err)
	}
	box, err := seal.New(seal.Options{Identities: identity})
	if err != nil {
		b.Fatal(err)
	}
	tokens, err := oauth.New(oauth.Options{Redis: redistest.Start(b).Client(b), Box: box, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	source := tokens.Source(oauth.Credentials{
		Provider: oauth.Google, ClientID: "client-1", RefreshToken: secret.New(srv.Connect("max@acme.example")), TokenURL: srv.TokenURL(),
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := source(b.Context(), secret.String{}); err != nil {
			b.Fatal(err)
		}
	}
	_ = tokens.Close()
}

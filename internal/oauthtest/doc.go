// Package oauthtest is a scripted OAuth 2.0 server for tests: a token endpoint
// and an authorization endpoint over loopback. Left alone it is strict and
// friendly: it checks client, refresh token, code, PKCE and the assertion of a
// service account as a provider would, and issues tokens. It can be told to
// answer otherwise: with an error as Microsoft or Google write it, with raw
// bytes, by cutting the connection, or not at all; before or after a token was
// issued.
//
//	srv := oauthtest.Start(t, oauthtest.Options{Rotate: true})
//	refresh := srv.Connect("max@acme.example")      // as if a person had agreed
//	srv.Once(oauthtest.Cut().Issuing())             // rotated, and the answer is lost
//	srv.Once(oauthtest.Microsoft(400, "invalid_grant", "expired", 700082))
//	… ask srv.TokenURL() …
//	srv.Issuer()                                    // it is an OpenID Connect provider, too
//	srv.Valid(accessToken); srv.Revoke(accessToken) // for scripted SMTP and API servers
//
// Nothing here sleeps. A silent server waits until the client gives up or the
// server is closed.
package oauthtest

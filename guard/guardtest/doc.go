// Package guardtest is an issuer for the tests of services that use package guard. It runs
// in the process of the test, serves keys, metadata, introspection and a revocation feed
// over HTTP, and mints the tokens that a test needs.
//
//	iss := guardtest.New(t, guardtest.Config{})
//	g := iss.Guard(t)
//	token := iss.Mint(t, jwt.Claims{Subject: "u1"})
//	// ... the service accepts the token
//	iss.Revoke(t, token)
//	iss.Await(t, g)
//	// ... the service refuses it
//
// To test how a service behaves when the issuer or the network fails, see [Issuer.Down],
// [Issuer.Cut], [Issuer.Purge], [Issuer.Restore] and [Issuer.Intercept]. The package is for
// tests only.
package guardtest

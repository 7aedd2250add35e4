// Package guardtest is an issuer for the tests of services that use package guard: it runs
// in the test's process, with keys, metadata, introspection and a revocation feed over
// HTTP, and mints whatever token a test needs.
//
//	iss := guardtest.New(t, guardtest.Config{})
//	g := iss.Guard(t)
//	token := iss.Mint(t, jwt.Claims{Subject: "u1"})
//	// ... the service accepts the token
//	iss.Revoke(t, token)
//	iss.Await(t, g)
//	// ... and refuses it
//
// It can also fail as issuers and networks do: see [Issuer.Down], [Issuer.Cut],
// [Issuer.Purge], [Issuer.Restore] and [Issuer.Intercept]. It is not made to be used
// beyond tests.
package guardtest

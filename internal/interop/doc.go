// Package interop tests third-party verifiers against the running issuer. It has only
// tests, with the build tag interop: they need the programs and libraries that
// make test-interop installs.
//
// For each signing algorithm one issuer runs, and for each library a program that uses it.
// A program has its own folder here, and its own test file that describes it (as
// jose_test.go); verifiers lists them all. Each runs through the same table: tokens to
// accept, tokens to refuse, a key rotation, and an emergency revoke of a key.
//
// Besides, oauthclients is a client of the OAuth endpoints, with a test of its own.
//
// # The programs
//
// A program is what a careful user of the library would write with docs/verifying.md: all
// decisions are the library's. Its settings are in the environment:
//
//   - ISSUER: the issuer's URL, which is iss
//   - JWKS_URI: where the issuer's keys are
//   - JWKS_MAX_AGE: for how many seconds the keys may be cached, as in the issuer's
//     Cache-Control, for libraries that do not read that
//   - AUDIENCE: which aud must be in a token
//   - ALGORITHM: the one algorithm to accept: ES256, EdDSA or RS256
//   - ADDRESS: host and port to listen on
//
// It responds to GET /whoami with 200 and {"sub": …, "sid": …} when the library accepts the
// token in Authorization: Bearer, and otherwise with 401. It has no leeway for clock skew.
// When its library does not support ALGORITHM it may exit with an error.
package interop

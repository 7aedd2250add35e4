// Package interop drives real verifiers of third parties against the running issuer. It
// has tests only, behind the build tag interop: they need the programs and libraries that
// make test-interop installs.
//
// One issuer runs for each signing algorithm, and beside it a program around each library,
// which stands in a folder of its own here and is described by a verifier, in a file of
// its own too (jose_test.go); verifiers lists them. All go through the same table: what
// must be accepted, what must be refused, a rotation and an emergency.
//
// # The programs
//
// A program is what a careful user of the library would write from docs/verifying.md: it
// decides nothing itself. It gets its settings from the environment:
//
//   - ISSUER: the issuer's URL, which is iss
//   - JWKS_URI: where the issuer's keys are
//   - JWKS_MAX_AGE: for how many seconds the keys may be used, as the issuer's Cache-Control
//     says; for the libraries that don't read it
//   - AUDIENCE: which aud must be in a token
//   - ALGORITHM: the one algorithm to accept: ES256, EdDSA or RS256
//   - ADDRESS: host and port to listen on
//
// It answers GET /whoami with 200 and {"sub": …, "sid": …} when the library accepts the
// token in Authorization: Bearer, and otherwise with 401. It allows nothing for clocks that
// differ. When its library does not know ALGORITHM it may end with an error instead.
package interop

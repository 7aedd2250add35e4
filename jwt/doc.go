// Package jwt mints and verifies the access tokens of the issuer: signed JWTs in
// compact form (RFC 7519, RFC 7515) of the type at+jwt (RFC 9068).
//
// A service that gets tokens makes one [Verifier] with [NewVerifier], from the
// issuer's name, its own audience and the issuer's keys ([ParseJWKS]), and calls
// [Verifier.Verify] for each token. The issuer makes one [Signer] for each signing
// key and calls [Signer.Mint]. [VerifySignature] checks a JWS of any payload.
//
// # What a verifier refuses
//
// A strict gate stands in front of the cryptography. A token has at most
// [MaxTokenSize] bytes and three canonical base64url parts. Its header holds alg,
// typ and kid and nothing else. Its payload is one JSON object without duplicate
// names, or names that differ only in case, at any depth. Times are whole seconds.
// The type, the algorithm and the key are pinned: a key verifies one algorithm, and
// the header only chooses among the keys that the caller trusts. Nothing in a token
// is ever fetched, opened or decrypted.
//
// Each refusal is a sentinel, to be told apart with [errors.Is]; [Cause] names it in
// one word for logs and metrics. No error holds a part of the token.
//
// # What callers must know
//
//   - A valid token may still be revoked. Verify says that the issuer signed it and
//     that it has not expired. Package revocation, or the issuer, knows the rest.
//   - A token's bytes do not identify it: whoever holds an ES256 token can turn it
//     into a second valid text without the key. Deny-lists, replay caches and rate limits
//     use [Claims.ID] or [Claims.SessionID], never the token or a hash of it.
//   - A token is a bearer credential: until it expires it works for whoever holds it.
//     It belongs in no log and no URL.
//   - Symmetric algorithms, PS256 and "none" do not exist here.
package jwt

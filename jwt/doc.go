// Package jwt mints and verifies the access tokens of the issuer: signed JWTs in
// compact form (RFC 7519, RFC 7515) of the type at+jwt (RFC 9068).
//
// A service that receives tokens makes one [Verifier] with [NewVerifier], from the
// issuer's URL, its own audience and the issuer's keys ([ParseJWKS]), and calls
// [Verifier.Verify] for each token. The issuer makes one [Signer] for each signing
// key and calls [Signer.Mint]. [VerifySignature] verifies a JWS with any payload, and
// [VerifyDocument] one that may be larger than a token.
//
// # What a verifier refuses
//
// Strict checks come before the cryptography. A token has at most [MaxTokenSize]
// bytes and three canonical base64url parts. Its header has alg, typ and kid and no
// other member. Its payload is one JSON object without duplicate
// names, or names that differ only in case, at any depth. Times are whole seconds.
// The type, the algorithm and the key are pinned: a key verifies one algorithm, and
// the header only chooses among the keys that the caller trusts. Nothing in a token
// is ever fetched, opened or decrypted.
//
// Each reason is a sentinel to compare with [errors.Is]; [Cause] returns its short name
// for logs and metrics. No error contains a part of the token.
//
// # What callers must know
//
//   - A valid token may still be revoked. Verify says that the issuer signed it and
//     that it has not expired. Package revocation, or the issuer, knows the rest.
//   - A token's bytes do not identify it: anyone can change the signature of an ES256
//     token to a second valid one, without the key. Deny-lists, replay caches and rate limits
//     use [Claims.ID] or [Claims.SessionID], never the token or a hash of it.
//   - A token is a bearer credential: until it expires it works for whoever holds it.
//     It belongs in no log and no URL.
//   - Symmetric algorithms, PS256 and "none" do not exist here.
package jwt

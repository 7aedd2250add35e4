package jwt

import (
	gojwt "github.com/golang-jwt/jwt/v5"
)

// Algorithm is a signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
type Algorithm string

// The supported algorithms.
const (
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256
	EdDSA Algorithm = "EdDSA" // Ed25519; Ed448 is not offered
	RS256 Algorithm = "RS256" // RSA PKCS #1 v1.5 with SHA-256
)

// method returns golang-jwt's implementation of the algorithm, nil for any other.
func (a Algorithm) method() gojwt.SigningMethod {
	switch a {
	case ES256:
		return gojwt.SigningMethodES256
	case EdDSA:
		return gojwt.SigningMethodEdDSA
	case RS256:
		return gojwt.SigningMethodRS256
	default:
		return nil
	}
}

// headerAlgorithm returns the algorithm of this name in a header. It also accepts the other
// registered asymmetric algorithms. No key has one of those, so the token is refused with
// [ErrKeyMismatch], which says more than [ErrAlgorithm].
func headerAlgorithm(name string) (Algorithm, bool) {
	switch name {
	case "ES256":
		return ES256, true
	case "EdDSA":
		return EdDSA, true
	case "RS256":
		return RS256, true
	case "ES384", "ES512", "ES256K", "RS384", "RS512", "PS256", "PS384", "PS512", "Ed25519", "Ed448":
		return Algorithm(name), true
	default:
		return "", false
	}
}

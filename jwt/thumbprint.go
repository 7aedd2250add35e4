package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

// Thumbprint returns the base64url SHA-256 thumbprint of a public key (RFC 7638, and RFC
// 8037 §2 for Ed25519). For a key that is not ECDSA on P-256, Ed25519 or RSA the error
// wraps [ErrKey].
func Thumbprint(pub crypto.PublicKey) (string, error) {
	canonical, err := thumbprintInput(pub)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(canonical))
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// thumbprintInput is the JWK with its required members only, in lexical order.
func thumbprintInput(pub crypto.PublicKey) (string, error) {
	encode := base64.RawURLEncoding.EncodeToString
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if !isP256(k) {
			break
		}
		point, err := k.Bytes() // 0x04, x, y
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrKey, err)
		}
		return `{"crv":"P-256","kty":"EC","x":"` + encode(point[1:33]) + `","y":"` + encode(point[33:]) + `"}`, nil
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			break
		}
		return `{"crv":"Ed25519","kty":"OKP","x":"` + encode(k) + `"}`, nil
	case *rsa.PublicKey:
		if k == nil || k.N == nil {
			break
		}
		exponent := big.NewInt(int64(k.E)).Bytes()
		return `{"e":"` + encode(exponent) + `","kty":"RSA","n":"` + encode(k.N.Bytes()) + `"}`, nil
	}
	return "", fmt.Errorf("%w: no thumbprint for a key of this kind", ErrKey)
}

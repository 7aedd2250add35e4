package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
)

// signFunc returns a function that signs with priv. golang-jwt accepts the key types of the
// standard library, and any crypto.Signer for EdDSA only; the other two algorithms with
// another crypto.Signer are implemented here.
func signFunc(alg Algorithm, priv crypto.Signer) func(string) ([]byte, error) {
	method := alg.method()
	switch priv.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey:
	default:
		if alg == ES256 {
			return func(input string) ([]byte, error) { return signECDSA(priv, input) }
		}
		if alg == RS256 {
			return func(input string) ([]byte, error) { return signDigest(priv, input) }
		}
	}
	return func(input string) ([]byte, error) { return method.Sign(input, priv) }
}

// signDigest signs the SHA-256 digest of the input.
func signDigest(priv crypto.Signer, input string) ([]byte, error) {
	digest := sha256.Sum256([]byte(input))
	return priv.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// signECDSA converts the ASN.1 signature of a [crypto.Signer] to the 64 bytes R || S of
// RFC 7518 §3.4.
func signECDSA(priv crypto.Signer, input string) ([]byte, error) {
	der, err := signDigest(priv, input)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &pair)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 || pair.R.BitLen() > 256 || pair.S.BitLen() > 256 {
		return nil, errors.New("the private key returned a malformed ECDSA signature")
	}
	signature := make([]byte, 64)
	pair.R.FillBytes(signature[:32])
	pair.S.FillBytes(signature[32:])
	return signature, nil
}

package keys

import (
	"issuer.example/jwt"
	"issuer.example/secret"
)

// The tests reach the writing of one key, to try it on thousands.
var PublicJWK = publicJWK

// Decode reads a stored document.
func Decode(document []byte, secrets ...secret.Secret) error {
	_, err := decode(document, secrets, nil)
	return err
}

// NewKeyID makes a key and returns its name.
func NewKeyID(alg jwt.Algorithm) (string, error) {
	m, err := generate(alg)
	if err != nil {
		return "", err
	}
	return m.signer.Key().ID, nil
}

package keys

import (
	"issuer.example/jwt"
	"issuer.example/secret"
)

// PublicJWK is exported so that a test can try it on thousands of keys.
var PublicJWK = publicJWK

// Decode decodes a stored document.
func Decode(document []byte, secrets ...secret.Secret) error {
	_, err := decode(document, secrets, nil)
	return err
}

// NewKeyID makes a key and returns its id.
func NewKeyID(alg jwt.Algorithm) (string, error) {
	m, err := generate(alg)
	if err != nil {
		return "", err
	}
	return m.signer.Key().ID, nil
}

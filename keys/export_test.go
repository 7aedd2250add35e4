package keys

import "issuer.example/secret"

// The tests reach the writing of one key, to try it on thousands.
var PublicJWK = publicJWK

// Decode reads a stored document.
func Decode(document []byte, secrets ...secret.Secret) error {
	_, err := decode(document, secrets, nil)
	return err
}

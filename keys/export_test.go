package keys

import (
	"encoding/json"

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

// EncodeSet returns a document with any set and a valid MAC.
func EncodeSet(set json.RawMessage, by secret.Secret) ([]byte, error) {
	return json.Marshal(document{Schema: schema, MAC: authenticate(set, by), Set: set})
}

package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"issuer.example/secret"
)

// The purposes of the keys that are derived from a secret. A document that was stored
// with one purpose cannot be read with another.
const (
	purposeSeal = "key encryption"
	purposeMAC  = "key document"
)

// errSealed is the only error of a ciphertext that cannot be opened, so that no error can
// contain a part of a key.
var errSealed = errors.New("the key cannot be decrypted")

// secretName is the kid of a secret in the header of a JWE.
func secretName(s secret.Secret) string { return hex.EncodeToString([]byte{s.ID()}) }

// seal encrypts a private key as a compact JWE (RFC 7516) of a JWK, with the algorithms dir
// and A256GCM. The kid of the protected header names the secret.
func seal(private crypto.Signer, s secret.Secret) (string, error) {
	plain, err := privateJWK(private)
	if err != nil {
		return "", err
	}
	headers := jwe.NewHeaders()
	if err := headers.Set(jwe.KeyIDKey, secretName(s)); err != nil {
		return "", fmt.Errorf("sealing a key: %w", err)
	}
	key := s.Derive(purposeSeal)
	sealed, err := jwe.Encrypt(plain, jwe.WithKey(jwa.DIRECT, key[:]),
		jwe.WithContentEncryption(jwa.A256GCM), jwe.WithProtectedHeaders(headers))
	if err != nil {
		return "", fmt.Errorf("sealing a key: %w", err)
	}
	return string(sealed), nil
}

func privateJWK(private crypto.Signer) ([]byte, error) {
	key, err := jwk.FromRaw(private)
	if err != nil {
		return nil, fmt.Errorf("sealing a key: %w", err)
	}
	return json.Marshal(key)
}

// unseal decrypts what seal wrote. Every failure is errSealed.
func unseal(sealed string, s secret.Secret) (crypto.Signer, error) {
	message, err := jwe.ParseString(sealed)
	if err != nil {
		return nil, errSealed
	}
	headers := message.ProtectedHeaders()
	// The algorithms are pinned: the header cannot choose others, or ask for
	// decompression.
	if headers.Algorithm() != jwa.DIRECT || headers.ContentEncryption() != jwa.A256GCM ||
		headers.Compression() != jwa.NoCompress || headers.KeyID() != secretName(s) {
		return nil, errSealed
	}
	key := s.Derive(purposeSeal)
	plain, err := jwe.Decrypt([]byte(sealed), jwe.WithKey(jwa.DIRECT, key[:]))
	if err != nil {
		return nil, errSealed
	}
	return parsePrivateJWK(plain)
}

func parsePrivateJWK(plain []byte) (crypto.Signer, error) {
	parsed, err := jwk.ParseKey(plain)
	if err != nil {
		return nil, errSealed
	}
	var raw any
	if err := parsed.Raw(&raw); err != nil {
		return nil, errSealed
	}
	switch private := raw.(type) {
	case *ecdsa.PrivateKey:
		return private, nil
	case ed25519.PrivateKey:
		return private, nil
	case *rsa.PrivateKey:
		private.Precompute()
		if private.Validate() != nil {
			return nil, errSealed
		}
		return private, nil
	default:
		return nil, errSealed
	}
}

// openRecord decrypts the private key of a record with the first of the secrets that can,
// and checks that it belongs to the record's public key.
func openRecord(r *record, secrets []secret.Secret) (privateKey, error) {
	for i, s := range secrets {
		key, err := unseal(r.Sealed, s)
		if err != nil {
			continue
		}
		p, err := newPrivateKey(r.Algorithm, key)
		if err != nil || p.signer.Key().ID != r.ID {
			return privateKey{}, fmt.Errorf("%w: key %q contains the private key of another", ErrDocument, r.ID)
		}
		p.sealed, p.reseal = r.Sealed, i > 0
		return p, nil
	}
	return privateKey{}, fmt.Errorf("%w: key %q; configure the secret that it was encrypted with",
		ErrWrongSecret, r.ID)
}

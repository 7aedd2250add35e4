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

// The purposes for which keys derives from a secret. To change one is to lose what
// was stored under it.
const (
	purposeSeal = "key encryption"
	purposeMAC  = "key document"
)

// errSealed is the inner cause of a seal that does not open. It tells no more.
var errSealed = errors.New("it does not open")

// secretName is the public name of a secret in what it sealed.
func secretName(s secret.Secret) string { return hex.EncodeToString([]byte{s.ID()}) }

// seal writes a private key as compact JWE (RFC 7516): a JWK under dir and A256GCM.
// The protected header names the secret, in kid.
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

// unseal opens what seal wrote. Any failure is errSealed and nothing more, so that
// no error can carry a part of a key.
func unseal(sealed string, s secret.Secret) (crypto.Signer, error) {
	message, err := jwe.ParseString(sealed)
	if err != nil {
		return nil, errSealed
	}
	headers := message.ProtectedHeaders()
	// What opens is pinned, whatever the header asks for: no other algorithm, and
	// no decompression.
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

// openRecord opens the private half of one stored key with the first of the secrets
// that fits, and checks that it is the half of this very key.
func openRecord(r *record, secrets []secret.Secret) (material, error) {
	for i, s := range secrets {
		private, err := unseal(r.Sealed, s)
		if err != nil {
			continue
		}
		m, err := newMaterial(r.Algorithm, private)
		if err != nil || m.signer.Key().ID != r.ID {
			return material{}, fmt.Errorf("%w: key %q holds another key", ErrDocument, r.ID)
		}
		m.sealed, m.foreign = r.Sealed, i > 0
		return m, nil
	}
	return material{}, fmt.Errorf("%w: key %q does not open; put the secret that sealed it back among the configured ones",
		ErrWrongSecret, r.ID)
}

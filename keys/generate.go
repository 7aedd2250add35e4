package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"issuer.example/jwt"
)

// rsaBits is the size of the RSA keys made here: 128 bits of strength (NIST SP 800-57).
const rsaBits = 3072

// privateKey is a private key in the clear, ready to sign.
type privateKey struct {
	key    crypto.Signer
	signer *jwt.Signer
	// sealed is the encrypted form, empty for a new key. reseal says that it is not
	// encrypted by the first secret.
	sealed string
	reseal bool
}

// generate makes a new key for the algorithm. RSA may take seconds. No id begins with a
// dash, so that no command line takes it for a flag.
func generate(alg jwt.Algorithm) (privateKey, error) {
	for {
		key, err := generateSigner(alg)
		if err != nil {
			return privateKey{}, fmt.Errorf("making a key: %w", err)
		}
		p, err := newPrivateKey(alg, key)
		if err != nil || !strings.HasPrefix(p.signer.Key().ID, "-") {
			return p, err
		}
	}
}

func generateSigner(alg jwt.Algorithm) (crypto.Signer, error) {
	switch alg {
	case jwt.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jwt.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case jwt.RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		return nil, fmt.Errorf("%w: unknown algorithm %q", ErrConfig, alg)
	}
}

// newPrivateKey uses the key's thumbprint as its id.
func newPrivateKey(alg jwt.Algorithm, key crypto.Signer) (privateKey, error) {
	kid, err := jwt.Thumbprint(key.Public())
	if err != nil {
		return privateKey{}, err
	}
	signer, err := jwt.NewSigner(kid, alg, key)
	if err != nil {
		return privateKey{}, err
	}
	return privateKey{key: key, signer: signer}, nil
}

// publicJWK returns the public key as a member of the JWKS: a JWK (RFC 7517 §4) with use,
// alg and kid.
func publicJWK(key jwt.Key) (json.RawMessage, error) {
	public, err := jwk.FromRaw(key.Public)
	if err != nil {
		return nil, fmt.Errorf("writing a public key: %w", err)
	}
	members := map[string]any{
		jwk.KeyIDKey:     key.ID,
		jwk.AlgorithmKey: string(key.Algorithm),
		jwk.KeyUsageKey:  string(jwk.ForSignature),
	}
	for name, value := range members {
		if err := public.Set(name, value); err != nil {
			return nil, fmt.Errorf("writing a public key: %w", err)
		}
	}
	return json.Marshal(public)
}

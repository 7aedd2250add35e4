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

// material is the private half of a key, opened and ready to sign.
type material struct {
	private crypto.Signer
	signer  *jwt.Signer
	// sealed is the stored form, empty for a new key. foreign says that it is not
	// under the first secret.
	sealed  string
	foreign bool
}

// generate makes a new key of the algorithm. RSA takes up to some seconds. No key's name
// begins with a dash: on a command line, in an emergency, it would be taken for a flag.
func generate(alg jwt.Algorithm) (material, error) {
	for {
		private, err := generatePrivate(alg)
		if err != nil {
			return material{}, fmt.Errorf("making a key: %w", err)
		}
		m, err := newMaterial(alg, private)
		if err != nil || !strings.HasPrefix(m.signer.Key().ID, "-") {
			return m, err
		}
	}
}

func generatePrivate(alg jwt.Algorithm) (crypto.Signer, error) {
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

// newMaterial names the key by its thumbprint.
func newMaterial(alg jwt.Algorithm, private crypto.Signer) (material, error) {
	kid, err := jwt.Thumbprint(private.Public())
	if err != nil {
		return material{}, err
	}
	signer, err := jwt.NewSigner(kid, alg, private)
	if err != nil {
		return material{}, err
	}
	return material{private: private, signer: signer}, nil
}

// publicJWK is the public half as it stands in the JWKS: RFC 7517 §4 with the
// members of its key type, and use, alg and kid.
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

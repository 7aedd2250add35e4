package jwt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
)

const (
	// MinRSABits is the smallest RSA modulus that verifies. The issuer's own keys
	// have 3,072 bits.
	MinRSABits = 2048
	// maxRSABits bounds the time that one signature check takes.
	maxRSABits = 8192
	// minRSAExponent is the smallest public exponent of FIPS 186-5 §5.1, rounded to
	// the one that everybody uses.
	minRSAExponent = 65537
)

// Key is a public key that verifies signatures of one algorithm.
type Key struct {
	// ID is the kid of tokens signed with the key.
	ID string
	// Algorithm is the only algorithm that the key verifies.
	Algorithm Algorithm
	// Public is an *ecdsa.PublicKey, an ed25519.PublicKey or an *rsa.PublicKey. It
	// is not to be changed.
	Public crypto.PublicKey
}

// NewKey returns a key after checking that pub belongs to alg: P-256 for ES256,
// Ed25519 for EdDSA, RSA of at least [MinRSABits] for RS256. The id has 1 to 128
// printable ASCII characters; an empty one stands for the key's [Thumbprint]. The
// error wraps [ErrKey].
func NewKey(id string, alg Algorithm, pub crypto.PublicKey) (Key, error) {
	if raw, ok := pub.(ed25519.PublicKey); ok {
		pub = ed25519.PublicKey(bytes.Clone(raw))
	}
	key := Key{ID: id, Algorithm: alg, Public: pub}
	if err := key.fits(); err != nil {
		return Key{}, err
	}
	if k, ok := pub.(*ecdsa.PublicKey); ok {
		if _, err := k.ECDH(); err != nil { // refuses points that are not on the curve
			return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
		}
	}
	if id == "" {
		thumbprint, err := Thumbprint(pub)
		if err != nil {
			return Key{}, err
		}
		key.ID = thumbprint
	}
	if !validKeyID(key.ID) {
		return Key{}, fmt.Errorf("%w: its id is not 1 to %d printable ASCII characters", ErrKey, maxKeyID)
	}
	return key, nil
}

// fits reports why the public key is not one of the key's algorithm. It is cheap: it
// runs for every signature, so that a Key made by hand can't loosen the pin.
func (k Key) fits() error {
	switch k.Algorithm {
	case ES256:
		if pub, ok := k.Public.(*ecdsa.PublicKey); ok && isP256(pub) {
			return nil
		}
		return fmt.Errorf("%w: ES256 needs an ECDSA key on P-256", ErrKey)
	case EdDSA:
		if pub, ok := k.Public.(ed25519.PublicKey); ok && len(pub) == ed25519.PublicKeySize {
			return nil
		}
		return fmt.Errorf("%w: EdDSA needs an Ed25519 key", ErrKey)
	case RS256:
		if pub, ok := k.Public.(*rsa.PublicKey); ok && pub != nil && pub.N != nil {
			return fitsRSA(pub)
		}
		return fmt.Errorf("%w: RS256 needs an RSA key", ErrKey)
	default:
		return fmt.Errorf("%w: its algorithm is not ES256, EdDSA or RS256", ErrKey)
	}
}

// isP256 reports whether pub is a key on P-256, though not whether its point is on it.
func isP256(pub *ecdsa.PublicKey) bool {
	return pub != nil && pub.Curve == elliptic.P256() &&
		pub.X != nil && pub.Y != nil //nolint:staticcheck // else crypto/ecdsa panics
}

func fitsRSA(pub *rsa.PublicKey) error {
	if bits := pub.N.BitLen(); bits < MinRSABits || bits > maxRSABits {
		return fmt.Errorf("%w: RSA of %d bits, not %d to %d", ErrKey, bits, MinRSABits, maxRSABits)
	}
	if pub.E < minRSAExponent || pub.E%2 == 0 {
		return fmt.Errorf("%w: RSA exponent is even or below %d", ErrKey, minRSAExponent)
	}
	return nil
}

// Keys finds the key that a token's kid names. Key is called for every token, by many
// goroutines at once, with ids that come from outside; it returns false for an id
// that is not trusted at this moment.
type Keys interface {
	Key(kid string) (Key, bool)
}

// KeySet is an immutable set of keys with distinct ids. It is safe for concurrent use.
type KeySet struct {
	keys []Key
	byID map[string]Key
}

var _ Keys = (*KeySet)(nil)

// NewKeySet returns the set of the given keys, each checked as by [NewKey]. Two keys
// of one id are an error that wraps [ErrKey].
func NewKeySet(keys ...Key) (*KeySet, error) {
	set := &KeySet{byID: make(map[string]Key, len(keys))}
	for _, given := range keys {
		key, err := NewKey(given.ID, given.Algorithm, given.Public)
		if err != nil {
			return nil, err
		}
		if _, taken := set.byID[key.ID]; taken {
			return nil, fmt.Errorf("%w: two keys have the id %s", ErrKey, key.ID)
		}
		set.byID[key.ID] = key
		set.keys = append(set.keys, key)
	}
	return set, nil
}

// Key returns the key of this id.
func (s *KeySet) Key(kid string) (Key, bool) {
	key, ok := s.byID[kid]
	return key, ok
}

// Keys returns the keys of the set in the order in which they were given.
func (s *KeySet) Keys() []Key { return slices.Clone(s.keys) }

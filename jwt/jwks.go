package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
)

const (
	// MaxJWKSSize is the size in bytes of the largest document that [ParseJWKS] reads.
	MaxJWKSSize = 256 << 10
	// MaxJWKSKeys is the largest number of keys in it.
	MaxJWKSKeys = 64
)

// ParseJWKS parses a JWK Set (RFC 7517 §5) with the public keys of an issuer.
//
// It skips keys that are not for signatures of a supported [Algorithm], so that an issuer
// can begin to publish other kinds: an unsupported kty, crv or alg, a use other than sig,
// key_ops without verify. A key without alg gets the algorithm of its kind, and a key
// without kid gets its [Thumbprint] as id.
//
// Any other fault refuses the whole document. The error wraps [ErrKey] for a private or
// symmetric key, a supported key that is malformed or too weak, two keys with one id and
// more than [MaxJWKSKeys]; and [ErrSize], [ErrDuplicate] or [ErrJSON] for a document that
// is too large or is not strict JSON.
func ParseJWKS(doc []byte) (*KeySet, error) {
	if len(doc) > MaxJWKSSize {
		return nil, fmt.Errorf("%w: a key set of more than %d bytes", ErrSize, MaxJWKSSize)
	}
	if err := CheckJSON(doc, maxDepth); err != nil {
		return nil, err
	}
	// No two names differ only in case, so encoding/json reads the right ones.
	var set map[string]json.RawMessage
	var list []map[string]json.RawMessage
	if json.Unmarshal(doc, &set) != nil || json.Unmarshal(set["keys"], &list) != nil || list == nil {
		return nil, fmt.Errorf("%w: the document has no array of keys", ErrKey)
	}
	if len(list) > MaxJWKSKeys {
		return nil, fmt.Errorf("%w: the document has more than %d keys", ErrKey, MaxJWKSKeys)
	}
	keys := make([]Key, 0, len(list))
	for i, raw := range list {
		key, usable, err := parseJWK(raw)
		if err != nil {
			return nil, fmt.Errorf("key %d of the set: %w", i, err)
		}
		if usable {
			keys = append(keys, key)
		}
	}
	return NewKeySet(keys...)
}

// parseJWK returns a key, or false for one to skip.
func parseJWK(raw jwk) (Key, bool, error) {
	if raw == nil {
		return Key{}, false, fmt.Errorf("%w: not an object", ErrKey)
	}
	for _, name := range [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, has := raw[name]; has {
			return Key{}, false, fmt.Errorf("%w: it has the private member %s", ErrKey, name)
		}
	}
	kind, err := raw.kind()
	if err != nil || kind == "" {
		return Key{}, false, err
	}
	if _, has := raw["kid"]; has && raw.text("kid") == "" {
		return Key{}, false, fmt.Errorf("%w: kid is not a string, or empty", ErrKey)
	}
	pub, err := raw.public(kind)
	if err != nil {
		return Key{}, false, err
	}
	key, err := NewKey(raw.text("kid"), kind, pub)
	return key, err == nil, err
}

// jwk is the members of a JWK.
type jwk map[string]json.RawMessage

// text returns a string member, and "" for one that is missing or not a string.
func (k jwk) text(name string) string {
	var text string
	if json.Unmarshal(k[name], &text) != nil {
		return ""
	}
	return text
}

// kind returns the algorithm that the key is for, "" when that is not supported, and an
// error when its members contradict each other.
func (k jwk) kind() (Algorithm, error) {
	var kind Algorithm
	switch k.text("kty") + " " + k.text("crv") {
	case "EC P-256":
		kind = ES256
	case "OKP Ed25519":
		kind = EdDSA
	case "RSA ":
		kind = RS256
	default:
		return "", nil
	}
	if _, has := k["use"]; has && k.text("use") != "sig" {
		return "", nil
	}
	if ops, has := k["key_ops"]; has {
		var names []string
		if err := json.Unmarshal(ops, &names); err != nil || !slices.Contains(names, "verify") {
			return "", nil //nolint:nilerr // unreadable key_ops do not include verify
		}
	}
	if _, has := k["alg"]; !has {
		return kind, nil
	}
	switch alg := Algorithm(k.text("alg")); {
	case alg == kind:
		return kind, nil
	case alg.method() != nil:
		return "", fmt.Errorf("%w: its alg is not one of its kty", ErrKey)
	default:
		return "", nil
	}
}

func (k jwk) public(kind Algorithm) (crypto.PublicKey, error) {
	switch kind {
	case ES256:
		return k.ecdsa()
	case EdDSA:
		x, err := k.bytes("x", ed25519.PublicKeySize)
		return ed25519.PublicKey(x), err
	default:
		return k.rsa()
	}
}

func (k jwk) ecdsa() (crypto.PublicKey, error) {
	x, err := k.bytes("x", 32)
	if err != nil {
		return nil, err
	}
	y, err := k.bytes("y", 32)
	if err != nil {
		return nil, err
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, fmt.Errorf("%w: its point is not on P-256", ErrKey)
	}
	return pub, nil
}

func (k jwk) rsa() (crypto.PublicKey, error) {
	n, err := k.bytes("n", 0)
	if err != nil {
		return nil, err
	}
	e, err := k.bytes("e", 0)
	if err != nil {
		return nil, err
	}
	if len(e) > 4 || n[0] == 0 || e[0] == 0 {
		return nil, fmt.Errorf("%w: n or e is not a shortest integer in range", ErrKey)
	}
	exponent := new(big.Int).SetBytes(e).Int64()
	if exponent > 1<<31-1 {
		return nil, fmt.Errorf("%w: e is out of range", ErrKey)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}, nil
}

// bytes decodes a base64url member of this many bytes; 0 stands for any number except 0.
func (k jwk) bytes(name string, size int) ([]byte, error) {
	raw, err := decodePart(k.text(name))
	if err != nil || len(raw) == 0 || size > 0 && len(raw) != size {
		return nil, fmt.Errorf("%w: %s is not canonical base64url of the right size", ErrKey, name)
	}
	return raw, nil
}

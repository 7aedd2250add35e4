package jwt

import (
	"crypto"
	"encoding/base64"
	"fmt"
)

// Signer signs tokens with one private key. It is safe for concurrent use when the
// private key is.
type Signer struct {
	key          Key
	sign         func(signingInput string) ([]byte, error)
	accessHeader string // the encoded header of an access token
}

// NewSigner returns a signer for a private key, which may be one in a hardware security
// module. The rules for id and algorithm are those of [NewKey].
func NewSigner(kid string, alg Algorithm, priv crypto.Signer) (*Signer, error) {
	if priv == nil {
		return nil, fmt.Errorf("%w: no private key", ErrKey)
	}
	key, err := NewKey(kid, alg, priv.Public())
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, sign: signFunc(alg, priv), accessHeader: encodeHeader(key, TypeAccessToken)}, nil
}

// Key returns the public key, which verifies the signer's signatures.
func (s *Signer) Key() Key { return s.key }

// Sign returns the compact JWS of any payload, with alg, kid and typ in its header. A typ
// that is not 1 to 128 printable ASCII characters is an error that wraps [ErrType].
func (s *Signer) Sign(typ string, payload []byte) (string, error) {
	if !validType(typ) {
		return "", fmt.Errorf("%w: it is not 1 to %d printable ASCII characters", ErrType, maxType)
	}
	return s.compact(encodeHeader(s.key, typ), payload)
}

// Mint returns an access token with these claims. It refuses claims that a [Verifier]
// would refuse at any time, with the same errors. The audience is always an array, even of
// one entry. A service that expects a string then fails to read it; with a string, a
// service that only searches for its own name in it would accept longer names too.
func (s *Signer) Mint(c *Claims) (string, error) {
	payload, err := appendClaims(make([]byte, 0, 512), c)
	if err != nil {
		return "", err
	}
	size := len(s.accessHeader) + base64.RawURLEncoding.EncodedLen(len(payload)) + maxSignature
	if size > MaxTokenSize {
		return "", fmt.Errorf("%w: a token of more than %d bytes", ErrSize, MaxTokenSize)
	}
	return s.compact(s.accessHeader, payload)
}

// maxSignature is an upper bound for two dots and the signature of the largest key.
const maxSignature = 2 + (maxRSABits/8*4+2)/3

// compact signs the payload and returns the compact JWS.
func (s *Signer) compact(header string, payload []byte) (string, error) {
	input := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := s.sign(input)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// encodeHeader returns the encoded header. The id and the type are printable ASCII.
func encodeHeader(key Key, typ string) string {
	header := append(make([]byte, 0, 128), `{"alg":"`...)
	header = append(header, key.Algorithm...)
	header = append(header, `","kid":`...)
	header = appendString(header, key.ID)
	header = append(header, `,"typ":`...)
	header = appendString(header, typ)
	header = append(header, '}')
	return base64.RawURLEncoding.EncodeToString(header)
}

package jwt

import (
	"crypto"
	"encoding/base64"
	"fmt"
)

// Signer signs tokens with one private key. It is safe for concurrent use when the
// private key is.
type Signer struct {
	key    Key
	sign   func(signingInput string) ([]byte, error)
	minted string // the encoded header of an access token
}

// NewSigner returns a signer with the key's id, algorithm and private part, which may
// live elsewhere, in a hardware module for example. The rules are those of [NewKey].
func NewSigner(kid string, alg Algorithm, priv crypto.Signer) (*Signer, error) {
	if priv == nil {
		return nil, fmt.Errorf("%w: no private key", ErrKey)
	}
	key, err := NewKey(kid, alg, priv.Public())
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, sign: signFunc(alg, priv), minted: encodeHeader(key, TypeAccessToken)}, nil
}

// Key returns the public half, which verifies what the signer signs.
func (s *Signer) Key() Key { return s.key }

// Sign returns the compact JWS of any payload, with alg, kid and typ in its header. The
// typ has 1 to 128 printable ASCII characters, else the error wraps [ErrType].
func (s *Signer) Sign(typ string, payload []byte) (string, error) {
	if !validType(typ) {
		return "", fmt.Errorf("%w: %d bytes, or a character that is not allowed", ErrType, len(typ))
	}
	return s.seal(encodeHeader(s.key, typ), payload)
}

// Mint returns an access token with these claims. It refuses claims that a [Verifier]
// would refuse at any time, with the same errors. The audience is written as an array
// even when it has one entry: a service that expects a string then refuses the token,
// where one that searches a string for its name would accept any audience holding that
// name.
func (s *Signer) Mint(c *Claims) (string, error) {
	payload, err := appendClaims(make([]byte, 0, 512), c)
	if err != nil {
		return "", err
	}
	size := len(s.minted) + base64.RawURLEncoding.EncodedLen(len(payload)) + maxSignature
	if size > MaxTokenSize {
		return "", fmt.Errorf("%w: a token of more than %d bytes", ErrSize, MaxTokenSize)
	}
	return s.seal(s.minted, payload)
}

// maxSignature is an upper bound for two dots and the signature of the largest key.
const maxSignature = 2 + (maxRSABits/8*4+2)/3

func (s *Signer) seal(header string, payload []byte) (string, error) {
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

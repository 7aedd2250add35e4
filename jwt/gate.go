package jwt

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// MaxTokenSize is the size in bytes of the largest token that is looked at.
const MaxTokenSize = 8 << 10

// Header is what the header of a verified JWS says.
type Header struct {
	Algorithm Algorithm
	// KeyID is kid, empty only with [OnlyKey].
	KeyID string
	// Type is typ as it was written, empty when there is none.
	Type string
}

// VerifySignature returns the header and the payload of a compact JWS (RFC 7515 §7.1)
// that is well-formed and signed by the one of the keys that its kid names. It says
// nothing about the payload, which may be any bytes but none at all, nor about typ: the
// caller compares [Header.Type]. To verify an access token use [Verifier.Verify].
func VerifySignature(token string, keys Keys) (Header, []byte, error) {
	return verify(token, keys, "")
}

// verify checks form, header, type (when typ is not empty), key and signature, in that
// order: what costs least comes first.
func verify(token string, keys Keys, typ string) (Header, []byte, error) {
	parts, err := split(token)
	if err != nil {
		return Header{}, nil, err
	}
	if typ != "" && !strings.EqualFold(trimType(parts.header.Type), typ) {
		return Header{}, nil, ErrType
	}
	key, err := findKey(parts.header, keys)
	if err != nil {
		return Header{}, nil, err
	}
	if err := key.Algorithm.method().Verify(parts.input, parts.signature, key.Public); err != nil {
		return Header{}, nil, ErrSignature // the library's text adds nothing
	}
	return parts.header, parts.payload, nil
}

// findKey returns the key that the header names, which must be of the header's algorithm.
func findKey(header Header, keys Keys) (Key, error) {
	if header.KeyID == "" {
		if _, ok := keys.(onlyKey); !ok {
			return Key{}, fmt.Errorf("%w: it is missing", ErrKeyID)
		}
	}
	key, ok := keys.Key(header.KeyID)
	if !ok {
		return Key{}, ErrUnknownKey
	}
	if key.Algorithm != header.Algorithm {
		return Key{}, ErrKeyMismatch
	}
	return key, key.fits()
}

// parts are what a compact JWS holds, before its signature is checked.
type parts struct {
	header    Header
	input     string // what is signed
	payload   []byte
	signature []byte
}

// split takes a token apart. The header is judged before the number of parts, so that
// an encrypted or an unsigned token is refused for what it is.
func split(token string) (parts, error) {
	if len(token) > MaxTokenSize {
		return parts{}, fmt.Errorf("%w: a token of more than %d bytes", ErrSize, MaxTokenSize)
	}
	head, rest, ok := strings.Cut(token, ".")
	if !ok || head == "" {
		return parts{}, ErrEncoding
	}
	rawHeader, err := decodePart(head)
	if err != nil {
		return parts{}, err
	}
	header, err := parseHeader(string(rawHeader))
	if err != nil {
		return parts{}, err
	}
	body, tail, ok := strings.Cut(rest, ".")
	if !ok || body == "" {
		return parts{}, ErrEncoding
	}
	payload, err := decodePart(body)
	if err != nil {
		return parts{}, err
	}
	signature, err := decodePart(tail) // refuses a third dot
	if err != nil {
		return parts{}, err
	}
	return parts{header, token[:len(head)+1+len(body)], payload, signature}, nil
}

// canonical refuses spare bits that are set. Like every encoding of its package it skips
// line breaks, which decodePart looks for itself.
var canonical = base64.RawURLEncoding.Strict()

func decodePart(part string) ([]byte, error) {
	if strings.IndexByte(part, '\n') >= 0 || strings.IndexByte(part, '\r') >= 0 {
		return nil, ErrEncoding
	}
	raw, err := canonical.DecodeString(part)
	if err != nil {
		return nil, ErrEncoding // without the library's text, which depends on the token
	}
	return raw, nil
}

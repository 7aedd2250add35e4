package jwt

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// MaxTokenSize is the size in bytes of the largest token that is parsed. A larger one
// is refused unread.
const MaxTokenSize = 8 << 10

// Header is the protected header of a verified JWS (RFC 7515 §4).
type Header struct {
	Algorithm Algorithm
	// KeyID is kid.
	KeyID string
	// Type is typ as it was written, empty when there is none.
	Type string
}

// VerifySignature verifies a compact JWS (RFC 7515 §7.1) of at most [MaxTokenSize]
// bytes and returns its header and its payload. It requires a strict header, a kid that
// names one of the keys, and that key's signature. It checks neither the payload, which
// may be any bytes except an empty string, nor typ: the caller compares [Header.Type].
// To verify an access token use [Verifier.Verify].
func VerifySignature(token string, keys Keys) (Header, []byte, error) {
	return verifyJWS(token, keys, "", MaxTokenSize)
}

// VerifyDocument verifies a compact JWS of at most limit bytes and returns its payload.
// It is for signed documents that may be larger than a token, such as a list of revoked
// sessions. The rules for header, key and signature are those of a token; typ is
// required and compared without regard to case or to the prefix "application/". The
// payload may be any bytes except an empty string. The error wraps one of this
// package's sentinels.
func VerifyDocument(text []byte, keys Keys, typ string, limit int) ([]byte, error) {
	if !validType(typ) {
		return nil, fmt.Errorf("%w: the caller must ask for a type", ErrType)
	}
	_, payload, err := verifyJWS(string(text), keys, trimType(typ), limit)
	return payload, err
}

// verifyJWS is the gate that every signed text passes. It checks the size, the form, the
// header, the type (unless typ is empty), the key and the signature, in this order: the
// cheap checks come first.
func verifyJWS(text string, keys Keys, typ string, limit int) (Header, []byte, error) {
	parts, err := splitJWS(text, limit)
	if err != nil {
		return Header{}, nil, err
	}
	if typ != "" && !strings.EqualFold(trimType(parts.header.Type), typ) {
		return Header{}, nil, ErrType
	}
	if parts.header.KeyID == "" {
		return Header{}, nil, fmt.Errorf("%w: it is missing", ErrKeyID)
	}
	key, ok := keys.Key(parts.header.KeyID)
	if !ok {
		return Header{}, nil, ErrUnknownKey
	}
	if err := key.verify(parts); err != nil {
		return Header{}, nil, err
	}
	return parts.header, parts.payload, nil
}

// verify checks that the key is one for the header's algorithm, and the signature.
func (k Key) verify(parts jwsParts) error {
	if k.Algorithm != parts.header.Algorithm {
		return ErrKeyMismatch
	}
	if err := k.fits(); err != nil {
		return err
	}
	if err := k.Algorithm.method().Verify(parts.input, parts.signature, k.Public); err != nil {
		return ErrSignature // golang-jwt's own error says nothing more
	}
	return nil
}

// jwsParts are the decoded parts of a compact JWS whose signature is not checked yet.
type jwsParts struct {
	header    Header
	input     string // the signing input (RFC 7515 §5.1)
	payload   []byte
	signature []byte
}

// splitJWS decodes the parts of a compact JWS. It checks the header before it counts the
// parts, so that the error for an encrypted or unsigned token names its header. Header
// and signature have the bounds of a token's whatever the limit: only a payload may be
// large.
func splitJWS(text string, limit int) (jwsParts, error) {
	if len(text) > limit {
		return jwsParts{}, fmt.Errorf("%w: more than %d bytes", ErrSize, limit)
	}
	head, rest, ok := strings.Cut(text, ".")
	if !ok || head == "" || len(head) > MaxTokenSize {
		return jwsParts{}, ErrEncoding
	}
	rawHeader, err := decodePart(head)
	if err != nil {
		return jwsParts{}, err
	}
	header, err := parseHeader(string(rawHeader))
	if err != nil {
		return jwsParts{}, err
	}
	body, tail, ok := strings.Cut(rest, ".")
	if !ok || body == "" || len(tail) > maxSignature {
		return jwsParts{}, ErrEncoding
	}
	payload, err := decodePart(body)
	if err != nil {
		return jwsParts{}, err
	}
	signature, err := decodePart(tail) // a third dot is not base64url
	if err != nil {
		return jwsParts{}, err
	}
	return jwsParts{header, text[:len(head)+1+len(body)], payload, signature}, nil
}

// canonical refuses base64url whose unused last bits are not zero. Like every encoding of
// encoding/base64 it skips line breaks, so decodePart looks for those itself.
var canonical = base64.RawURLEncoding.Strict()

func decodePart(part string) ([]byte, error) {
	if strings.IndexByte(part, '\n') >= 0 || strings.IndexByte(part, '\r') >= 0 {
		return nil, ErrEncoding
	}
	raw, err := canonical.DecodeString(part)
	if err != nil {
		return nil, ErrEncoding // base64's own error depends on the token's content
	}
	return raw, nil
}

package jwt

import (
	"bytes"
	"fmt"
	"strings"
)

// VerifyDocument returns the payload of a compact JWS that is a document rather than a
// token, such as a list of revoked sessions: it may have up to limit bytes, where a token
// has [MaxTokenSize]. Header, type, key and signature are held to the same rules as those
// of a token, in the same order, and typ is required. The payload is any bytes but none
// at all. The error wraps one of this package's sentinels.
func VerifyDocument(text []byte, keys Keys, typ string, limit int) ([]byte, error) {
	if len(text) > limit {
		return nil, fmt.Errorf("%w: a document of more than %d bytes", ErrSize, limit)
	}
	if !validType(typ) {
		return nil, fmt.Errorf("%w: the caller asks for none", ErrType)
	}
	// The header has the size of a token's, so that only the payload can be large.
	head, rest, ok := bytes.Cut(text, []byte{'.'})
	if !ok || len(head) == 0 || len(head) > MaxTokenSize {
		return nil, ErrEncoding
	}
	header, err := documentHeader(string(head), typ)
	if err != nil {
		return nil, err
	}
	key, err := findKey(header, keys)
	if err != nil {
		return nil, err
	}
	body, tail, ok := bytes.Cut(rest, []byte{'.'})
	if !ok || len(body) == 0 || len(tail) > maxSignature {
		return nil, ErrEncoding
	}
	signature, err := decodePart(string(tail)) // refuses a third dot
	if err != nil {
		return nil, err
	}
	input := string(text[:len(head)+1+len(body)])
	if err := key.Algorithm.method().Verify(input, signature, key.Public); err != nil {
		return nil, ErrSignature // the library's text adds nothing
	}
	return decodePart(input[len(head)+1:])
}

func documentHeader(encoded, typ string) (Header, error) {
	raw, err := decodePart(encoded)
	if err != nil {
		return Header{}, err
	}
	header, err := parseHeader(string(raw))
	if err != nil {
		return Header{}, err
	}
	if !strings.EqualFold(trimType(header.Type), trimType(typ)) {
		return Header{}, ErrType
	}
	return header, nil
}

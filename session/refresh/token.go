package refresh

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"issuer.example/sid"
)

// A refresh token is 48 bytes, self-describing and authenticated:
//
//	version | key id | sid (16) | generation (4, big endian) | branch (10) | tag (16)
//
// written as "rt_" and unpadded base64url. The tag is HMAC-SHA-256 over everything before
// it, truncated; a token whose tag is wrong is refused before the store is asked.
const (
	tokenPrefix  = "rt_"
	tokenVersion = 1
	tokenRawLen  = 1 + 1 + 16 + 4 + BranchLen + tagLen

	// TokenLen is the length of a refresh token's text, in bytes.
	TokenLen = len(tokenPrefix) + tokenRawLen*4/3
)

// Token is what a refresh token says.
type Token struct {
	KeyID      byte // the key that it was sealed under; [Keyring.Open] sets it
	SID        sid.ID
	Generation uint32
	Branch     Branch
}

// IsToken reports whether text is meant to be a refresh token: it has the prefix of one.
func IsToken(text string) bool { return strings.HasPrefix(text, tokenPrefix) }

// Seal returns the text of a token, authenticated with the first key.
func (r *Keyring) Seal(t Token) string {
	key := &r.keys()[0]
	var raw [tokenRawLen]byte
	raw[0], raw[1] = tokenVersion, key.id
	copy(raw[2:], t.SID[:])
	binary.BigEndian.PutUint32(raw[18:], t.Generation)
	copy(raw[22:], t.Branch[:])
	key.tokenTag(raw[:tokenRawLen-tagLen], raw[tokenRawLen-tagLen:])

	text := make([]byte, 0, TokenLen)
	text = append(text, tokenPrefix...)
	return string(base64.RawURLEncoding.AppendEncode(text, raw[:]))
}

// Open reads a token. Every error is [ErrTokenInvalid]; it is [ErrForged] too for a text that has the
// form of a token and was not issued.
func (r *Keyring) Open(text string) (Token, error) {
	if len(text) != TokenLen || !IsToken(text) {
		return Token{}, ErrTokenInvalid
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder would skip them
		return Token{}, ErrTokenInvalid
	}
	var raw [tokenRawLen]byte
	if _, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(text[len(tokenPrefix):])); err != nil {
		return Token{}, ErrTokenInvalid
	}
	if raw[0] != tokenVersion {
		return Token{}, errTokenForged
	}
	if err := r.authenticate(raw); err != nil {
		return Token{}, err
	}
	return Token{
		KeyID:      raw[1],
		SID:        sid.ID(raw[2:18]),
		Generation: binary.BigEndian.Uint32(raw[18:22]),
		Branch:     Branch(raw[22:32]),
	}, nil
}

// authenticate refuses a token whose tag was made by none of the keys.
func (r *Keyring) authenticate(raw [tokenRawLen]byte) error {
	refused := errTokenKeyGone
	for _, k := range r.keys() {
		var tag [tagLen]byte
		if k.id == raw[1] {
			k.tokenTag(raw[:tokenRawLen-tagLen], tag[:])
			if hmac.Equal(tag[:], raw[tokenRawLen-tagLen:]) {
				return nil
			}
			refused = errTokenForged
		}
	}
	return refused
}

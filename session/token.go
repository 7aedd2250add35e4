package session

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// A refresh token is 48 bytes, self-describing and authenticated:
//
//	version | key id | sid (16) | generation (4, big endian) | branch (10) | tag (16)
//
// written as "rt_" and unpadded base64url. The tag is HMAC-SHA-256 over all before it,
// truncated; a token that fails it is refused before the store is asked. Nothing of a
// token is stored, so a leaked store holds no usable one.
const (
	tokenPrefix  = "rt_"
	tokenVersion = 1
	tagLen       = 16
	tokenLen     = 1 + 1 + 16 + 4 + branchLen + tagLen
	branchLen    = refresh.BranchLen

	// RefreshTokenLen is the length of a refresh token's text, in bytes.
	RefreshTokenLen = len(tokenPrefix) + tokenLen*4/3
)

// Branch tells apart tokens of one generation.
type Branch = refresh.Branch

// token is what a refresh token says. keyID is the key that it was sealed under.
type token struct {
	keyID      byte
	sid        sid.ID
	generation uint32
	branch     Branch
}

// RefreshKey authenticates refresh tokens. Key must not be in the session store.
type RefreshKey struct {
	ID  byte // written into every token, to find the key again
	Key [32]byte
}

// String hides the key.
func (k RefreshKey) String() string { return "[redacted]" }

// GoString hides the key.
func (k RefreshKey) GoString() string { return "[redacted]" }

// MarshalText hides the key from JSON, and from logs that are written in it.
func (k RefreshKey) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// keyring seals tokens with its first key and opens those of any.
type keyring struct{ keys []ringKey }

type ringKey struct {
	id      byte
	tag     []byte
	branch  []byte
	handoff []byte
}

func newKeyring(keys []RefreshKey) (*keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("session: no refresh key")
	}
	ring := &keyring{}
	for _, k := range keys {
		tag, err := hkdf.Expand(sha256.New, k.Key[:], "refresh token tag", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("deriving the tag key: %w", err)
		}
		branch, err := hkdf.Expand(sha256.New, k.Key[:], "refresh token branch", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("deriving the branch key: %w", err)
		}
		handoff, err := hkdf.Expand(sha256.New, k.Key[:], "hand-off code tag", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("deriving the hand-off key: %w", err)
		}
		ring.keys = append(ring.keys, ringKey{id: k.ID, tag: tag, branch: branch, handoff: handoff})
	}
	return ring, nil
}

// first returns the first token of a new session: generation 1, a random branch.
func (r *keyring) first(id sid.ID) token {
	return token{sid: id, generation: 1, branch: randomBranch()}
}

// child returns the successor of the token that the state describes: always the same
// one for the same state.
func (r *keyring) child(id sid.ID, st State) token {
	key := r.keys[0]
	for _, k := range r.keys {
		if k.id == st.KeyID {
			key = k
			break
		}
	}
	mac := hmac.New(sha256.New, key.branch)
	var msg [16 + 4 + branchLen]byte
	copy(msg[:], id[:])
	binary.BigEndian.PutUint32(msg[16:], st.Generation)
	copy(msg[20:], st.Branch[:])
	mac.Write(msg[:])
	var sum [sha256.Size]byte
	return token{sid: id, generation: st.Generation + 1, branch: Branch(mac.Sum(sum[:0])[:branchLen])}
}

// stray returns a token of the next generation on a branch of its own, so that two
// holders of one token part ways and are noticed.
func (r *keyring) stray(id sid.ID, st State) token {
	return token{sid: id, generation: st.Generation + 1, branch: randomBranch()}
}

func randomBranch() (b Branch) {
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return b
}

// seal writes a token, under the first key.
func (r *keyring) seal(t token) string {
	var raw [tokenLen]byte
	raw[0], raw[1] = tokenVersion, r.keys[0].id
	copy(raw[2:], t.sid[:])
	binary.BigEndian.PutUint32(raw[18:], t.generation)
	copy(raw[22:], t.branch[:])
	r.keys[0].sign(raw[:tokenLen-tagLen], raw[tokenLen-tagLen:])

	text := make([]byte, 0, RefreshTokenLen)
	text = append(text, tokenPrefix...)
	return string(base64.RawURLEncoding.AppendEncode(text, raw[:]))
}

// open reads a token. Whatever is wrong with it, the answer is ErrRefreshTokenInvalid.
func (r *keyring) open(text string) (token, error) {
	if len(text) != RefreshTokenLen || !strings.HasPrefix(text, tokenPrefix) {
		return token{}, errForgedToken
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder would skip them
		return token{}, errForgedToken
	}
	var raw [tokenLen]byte
	if _, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(text[len(tokenPrefix):])); err != nil {
		return token{}, errForgedToken
	}
	if raw[0] != tokenVersion {
		return token{}, errForgedToken
	}
	if err := r.authenticate(raw); err != nil {
		return token{}, err
	}
	return token{
		keyID:      raw[1],
		sid:        sid.ID(raw[2:18]),
		generation: binary.BigEndian.Uint32(raw[18:22]),
		branch:     Branch(raw[22:32]),
	}, nil
}

// authenticate refuses a token whose tag is that of no key.
func (r *keyring) authenticate(raw [tokenLen]byte) error {
	refused := ErrRefreshTokenInvalid // of a secret that was withdrawn, as far as can be told
	for _, k := range r.keys {
		var tag [tagLen]byte
		if k.id == raw[1] {
			k.sign(raw[:tokenLen-tagLen], tag[:])
			if hmac.Equal(tag[:], raw[tokenLen-tagLen:]) {
				return nil
			}
			refused = errForgedToken
		}
	}
	return refused
}

// sign puts the truncated tag of msg into tag.
func (k ringKey) sign(msg, tag []byte) {
	mac := hmac.New(sha256.New, k.tag)
	mac.Write(msg)
	var sum [sha256.Size]byte
	copy(tag, mac.Sum(sum[:0]))
}

package refresh

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"issuer.example/sid"
)

// tagLen is the length of the tag of a token or a code: HMAC-SHA-256, truncated.
const tagLen = 16

// Key authenticates refresh tokens and hand-off codes. It must not be kept in the session
// store: a leaked store then holds nothing that could be redeemed.
type Key struct {
	ID  byte // written into every token and code, to find the key again
	Key [32]byte
}

const redacted = "[redacted]"

// String hides the key.
func (k Key) String() string { return redacted }

// GoString hides the key.
func (k Key) GoString() string { return redacted }

// MarshalText hides the key from JSON, and from logs that are written in it.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Keyring seals with its first key and opens with any of them. It is safe for concurrent
// use.
type Keyring struct{ current atomic.Pointer[[]derivedKeys] }

// keys returns the keys that hold now, of which there is at least one.
func (r *Keyring) keys() []derivedKeys { return *r.current.Load() }

// Adopt makes the keyring use the keys of another one from now on.
func (r *Keyring) Adopt(other *Keyring) { r.current.Store(other.current.Load()) }

// derivedKeys are made from one [Key], one for each purpose.
type derivedKeys struct {
	id      byte
	tag     []byte
	branch  []byte
	handoff []byte
}

// NewKeyring returns a keyring of those keys, of which there must be at least one.
func NewKeyring(keys []Key) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("no refresh key")
	}
	list := make([]derivedKeys, 0, len(keys))
	for _, k := range keys {
		derived := derivedKeys{id: k.ID}
		for _, purpose := range []struct {
			info string
			key  *[]byte
		}{
			{"refresh token tag", &derived.tag},
			{"refresh token branch", &derived.branch},
			{"hand-off code tag", &derived.handoff},
		} {
			var err error
			if *purpose.key, err = hkdf.Expand(sha256.New, k.Key[:], purpose.info, sha256.Size); err != nil {
				return nil, fmt.Errorf("deriving the key of a %s: %w", purpose.info, err)
			}
		}
		list = append(list, derived)
	}
	ring := &Keyring{}
	ring.current.Store(&list)
	return ring, nil
}

// First returns the first token of a new session: generation 1 on a random branch.
func (r *Keyring) First(id sid.ID) Token {
	return Token{SID: id, Generation: 1, Branch: RandomBranch()}
}

// Child returns the successor of the token that the state describes: always the same one
// for the same state, whichever key is first now.
func (r *Keyring) Child(id sid.ID, st State) Token {
	return Token{SID: id, Generation: st.Generation + 1, Branch: r.branch(id, st, nil)}
}

// branch derives a branch from the token that the state describes, and a nonce if it is that of
// a stray.
func (r *Keyring) branch(id sid.ID, st State, nonce []byte) Branch {
	keys := r.keys()
	key := keys[0]
	for _, k := range keys {
		if k.id == st.KeyID {
			key = k
			break
		}
	}
	mac := hmac.New(sha256.New, key.branch)
	var msg [16 + 4 + BranchLen]byte
	copy(msg[:], id[:])
	binary.BigEndian.PutUint32(msg[16:], st.Generation)
	copy(msg[20:], st.Branch[:])
	mac.Write(msg[:])
	mac.Write(nonce)
	var sum [sha256.Size]byte
	return Branch(mac.Sum(sum[:0])[:BranchLen])
}

// nonceLen is the length of the random part of a stray's branch, with which the branch begins.
// The rest is derived from the nonce and the token that was answered with the stray.
const nonceLen = 5

// stray returns a token of that generation on a branch of its own, which answers the given
// token. Two holders of one token are then on different branches, and using both is noticed.
func (r *Keyring) stray(t Token, generation uint32) Token {
	b := RandomBranch()
	return Token{SID: t.SID, Generation: generation, Branch: r.strayBranch(t, b)}
}

// strayBranch returns the branch of the stray that answers t and begins with that nonce.
func (r *Keyring) strayBranch(t Token, nonce Branch) Branch {
	derived := r.branch(t.SID, t.state(), nonce[:nonceLen])
	copy(nonce[nonceLen:], derived[:])
	return nonce
}

// IsParent reports whether t was answered with the token that the state describes, as its child
// or as a stray.
func (r *Keyring) IsParent(t Token, st State) bool {
	return t.Generation+1 == st.Generation &&
		(r.Child(t.SID, t.state()).Branch == st.Branch || r.strayBranch(t, st.Branch) == st.Branch)
}

// state is what the state is or was when t was the newest redeemed token.
func (t Token) state() State {
	return State{Generation: t.Generation, Branch: t.Branch, KeyID: t.KeyID}
}

// Answer returns the text of the refresh token that answers a redeemed one: its child, a
// stray, or the presented token itself. It is "" if the token was reused.
func (r *Keyring) Answer(presented Token, d Decision) string {
	switch d.answer {
	case answerSame:
		return r.Seal(presented)
	case answerStray:
		return r.Seal(r.stray(presented, d.Next.Generation+1))
	case answerChild:
		return r.Seal(r.Child(presented.SID, d.Next))
	case answerNone:
	}
	return ""
}

// tokenTag puts the truncated tag of msg into tag.
func (k derivedKeys) tokenTag(msg, tag []byte) {
	mac := hmac.New(sha256.New, k.tag)
	mac.Write(msg)
	var sum [sha256.Size]byte
	copy(tag, mac.Sum(sum[:0]))
}

// handoffTag returns the truncated tag of msg and the origin.
func (k derivedKeys) handoffTag(msg []byte, origin string) []byte {
	mac := hmac.New(sha256.New, k.handoff)
	mac.Write(msg)
	mac.Write([]byte(origin))
	return mac.Sum(nil)[:tagLen]
}

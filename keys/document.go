package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"issuer.example/secret"
)

const (
	schema          = 1
	maxDocumentSize = 1 << 20
)

// document is the document of a [Store]. The set is kept as raw bytes, so that the MAC
// covers exactly what was written.
type document struct {
	Schema int `json:"schema"`
	// MAC is HMAC-SHA-256 over Set. Without it, anyone who can write to the store
	// could add a public key of their own, whose tokens every verifier would accept.
	MAC string          `json:"mac"`
	Set json.RawMessage `json:"set"`
}

// set is all keys in the order of their creation.
type set struct {
	// MaxAge is the largest max-age, in seconds, with which any issuer may serve the JWKS.
	MaxAge int64 `json:"max_age"`
	// CachedUntil is when the last JWKS that was served with a larger max-age has
	// expired from all caches.
	CachedUntil time.Time `json:"cached_until,omitzero"`
	Keys        []record  `json:"keys"`
}

// record is one key as it is stored.
type record struct {
	Key
	// Lifetime is the maximum lifetime of its tokens in seconds: the largest setting
	// of any time while it signed.
	Lifetime int64 `json:"lifetime"`
	// SignAfter is when every cache must have seen a pending key.
	SignAfter time.Time `json:"sign_after,omitzero"`
	// KeepUntil is when the last token of a retiring key will have expired.
	KeepUntil time.Time `json:"keep_until,omitzero"`
	// JWK is the public half, while it is published.
	JWK json.RawMessage `json:"jwk,omitempty"`
	// Sealed is the private half as JWE, while it is pending or active.
	Sealed string `json:"sealed,omitempty"`
}

func (s *set) clone() set {
	return set{MaxAge: s.MaxAge, CachedUntil: s.CachedUntil, Keys: slices.Clone(s.Keys)}
}

// find returns the key with this id, or nil.
func (s *set) find(kid string) *record {
	i := slices.IndexFunc(s.Keys, func(r record) bool { return r.ID == kid })
	if i < 0 {
		return nil
	}
	return &s.Keys[i]
}

// in returns the newest key in this state, or nil.
func (s *set) in(state State) *record {
	for i := len(s.Keys) - 1; i >= 0; i-- {
		if s.Keys[i].State == state {
			return &s.Keys[i]
		}
	}
	return nil
}

func (s *set) published() int {
	n := 0
	for i := range s.Keys {
		if s.Keys[i].State != Gone {
			n++
		}
	}
	return n
}

// encode writes the document, authenticated under the secret.
func encode(s set, by secret.Secret) ([]byte, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("writing the keys: %w", err)
	}
	text, err := json.Marshal(document{Schema: schema, MAC: authenticate(raw, by), Set: raw})
	if err != nil {
		return nil, fmt.Errorf("writing the keys: %w", err)
	}
	return text, nil
}

func authenticate(raw []byte, by secret.Secret) string {
	key := by.Derive(purposeMAC)
	mac := hmac.New(sha256.New, key[:])
	mac.Write(raw)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// opened is a document whose MAC was checked and whose private keys were decrypted.
type opened struct {
	set set
	// private holds the private keys by key id.
	private map[string]privateKey
	// reseal says that some part is not encrypted or authenticated by the first secret.
	reseal bool
}

// decode parses a document, decrypts its private keys and checks its MAC. It does not
// decrypt again what is in known with the same ciphertext.
func decode(text []byte, secrets []secret.Secret, known map[string]privateKey) (opened, error) {
	doc, s, err := parse(text)
	if err != nil {
		return opened{}, err
	}
	o := opened{set: s, private: make(map[string]privateKey)}
	for i := range s.Keys {
		r := &s.Keys[i]
		if r.Sealed == "" {
			continue
		}
		p, ok := known[r.ID]
		if !ok || p.sealed != r.Sealed {
			if p, err = openRecord(r, secrets); err != nil {
				return opened{}, err
			}
		}
		o.private[r.ID] = p
		o.reseal = o.reseal || p.reseal
	}
	// The MAC is checked after the keys, so that the error for a wrong secret is
	// ErrWrongSecret, and ErrDocument means a changed document.
	by, err := checkMAC(doc, secrets)
	o.reseal = o.reseal || by > 0
	return o, err
}

func parse(text []byte) (document, set, error) {
	var doc document
	if len(text) > maxDocumentSize {
		return doc, set{}, fmt.Errorf("%w: larger than %d bytes", ErrDocument, maxDocumentSize)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return doc, set{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if doc.Schema > schema {
		return doc, set{}, fmt.Errorf("%w: it is %d and this program reads up to %d; use a newer program", ErrNewerSchema, doc.Schema, schema)
	}
	if doc.Schema != schema {
		return doc, set{}, fmt.Errorf("%w: schema %d is unknown", ErrDocument, doc.Schema)
	}
	var s set
	if err := json.Unmarshal(doc.Set, &s); err != nil {
		return doc, set{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return doc, s, s.check()
}

// check returns an error for a set that this program never writes.
func (s *set) check() error {
	seen, active := make(map[string]bool), 0
	for i := range s.Keys {
		r := &s.Keys[i]
		signs := r.State == Pending || r.State == Active
		switch {
		case seen[r.ID]:
			return fmt.Errorf("%w: key %q occurs twice", ErrDocument, r.ID)
		case !signs && r.State != Retiring && r.State != Gone:
			return fmt.Errorf("%w: key %q has the unknown state %q", ErrDocument, r.ID, r.State)
		case signs != (r.Sealed != ""), (r.State == Gone) != (len(r.JWK) == 0):
			return fmt.Errorf("%w: key %q must not have, or lacks, the private or public part of a key that is %s", ErrDocument, r.ID, r.State)
		}
		seen[r.ID] = true
		if r.State == Active {
			active++
		}
	}
	if active != 1 {
		return fmt.Errorf("%w: %d keys are active", ErrDocument, active)
	}
	return nil
}

// checkMAC returns the index of the secret that authenticates the document.
func checkMAC(doc document, secrets []secret.Secret) (int, error) {
	for i, s := range secrets {
		if hmac.Equal([]byte(authenticate(doc.Set, s)), []byte(doc.MAC)) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: they were changed without the secret", ErrDocument)
}

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

// document is what a [Store] holds. The set stands in it as bytes, so that the code
// covers exactly what was written.
type document struct {
	Schema int `json:"schema"`
	// MAC is HMAC-SHA-256 over Set. Without it, who can write to the store could
	// add a public key of their own, whose tokens every verifier would take.
	MAC string          `json:"mac"`
	Set json.RawMessage `json:"set"`
}

// set is all keys, in the order in which they were made.
type set struct {
	// MaxAge is the longest max-age, in seconds, under which a JWKS may be served.
	MaxAge int64 `json:"max_age"`
	// CachedUntil is when the last JWKS has left the caches that was served under
	// a longer max-age than MaxAge.
	CachedUntil time.Time `json:"cached_until,omitzero"`
	Keys        []record  `json:"keys"`
}

// record is one key as it is stored.
type record struct {
	Key
	// Lifetime is the longest life of its tokens in seconds, under any setting
	// that was in force while it signed.
	Lifetime int64 `json:"lifetime"`
	// SignAfter is when every cache has a pending key.
	SignAfter time.Time `json:"sign_after,omitzero"`
	// KeepUntil is when the last token of a retiring key has expired.
	KeepUntil time.Time `json:"keep_until,omitzero"`
	// JWK is the public half, while it is published.
	JWK json.RawMessage `json:"jwk,omitempty"`
	// Sealed is the private half as JWE, while it is pending or active.
	Sealed string `json:"sealed,omitempty"`
}

func (s *set) clone() set {
	return set{MaxAge: s.MaxAge, CachedUntil: s.CachedUntil, Keys: slices.Clone(s.Keys)}
}

// find returns the key of this id, or nil.
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

// opened is a document that was read and authenticated.
type opened struct {
	set set
	// ring holds the private halves by key id.
	ring map[string]material
	// foreign says that some part is not under the first secret.
	foreign bool
}

// decode reads the document and opens its private halves. Those in known that were
// opened from the same text are not opened again.
func decode(text []byte, secrets []secret.Secret, known map[string]material) (opened, error) {
	doc, s, err := parse(text)
	if err != nil {
		return opened{}, err
	}
	o := opened{set: s, ring: make(map[string]material)}
	for i := range s.Keys {
		r := &s.Keys[i]
		if r.Sealed == "" {
			continue
		}
		m, ok := known[r.ID]
		if !ok || m.sealed != r.Sealed {
			if m, err = openRecord(r, secrets); err != nil {
				return opened{}, err
			}
		}
		o.ring[r.ID] = m
		o.foreign = o.foreign || m.foreign
	}
	// After the keys, so that a wrong secret is called that, and only a document
	// that someone changed is called changed.
	by, err := checkMAC(doc, secrets)
	o.foreign = o.foreign || by > 0
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

// check refuses what this program never writes.
func (s *set) check() error {
	seen, active := make(map[string]bool), 0
	for i := range s.Keys {
		r := &s.Keys[i]
		signs := r.State == Pending || r.State == Active
		switch {
		case seen[r.ID]:
			return fmt.Errorf("%w: key %q stands in it twice", ErrDocument, r.ID)
		case !signs && r.State != Retiring && r.State != Gone:
			return fmt.Errorf("%w: key %q has the unknown state %q", ErrDocument, r.ID, r.State)
		case signs != (r.Sealed != ""), (r.State == Gone) != (len(r.JWK) == 0):
			return fmt.Errorf("%w: key %q does not have the halves of a key that is %s", ErrDocument, r.ID, r.State)
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

// checkMAC returns which of the secrets authenticates the document.
func checkMAC(doc document, secrets []secret.Secret) (int, error) {
	for i, s := range secrets {
		if hmac.Equal([]byte(authenticate(doc.Set, s)), []byte(doc.MAC)) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: they were changed by someone without the secret", ErrDocument)
}

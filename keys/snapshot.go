package keys

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/jwt"
)

// snapshot is what a manager knows of the keys. It never changes.
type snapshot struct {
	version  uint64
	loadedAt time.Time
	opened
	signer    *jwt.Signer // of the active key
	published *jwt.KeySet
	body      []byte
	etag      string
}

// at is the same knowledge, found unchanged at a later time.
func (s *snapshot) at(now time.Time) *snapshot {
	c := *s
	c.loadedAt = now
	return &c
}

// newSnapshot builds what is served. It reads the JWKS back as a verifier does, so
// that what verifiers could not read is never served.
func newSnapshot(version uint64, o opened) (*snapshot, error) {
	s := &snapshot{version: version, opened: o}
	active := o.set.in(Active)
	if active == nil {
		return nil, fmt.Errorf("%w: no active key", ErrDocument)
	}
	s.signer = o.ring[active.ID].signer
	body, err := writeJWKS(&o.set)
	if err != nil {
		return nil, err
	}
	if s.published, err = jwt.ParseJWKS(body); err != nil {
		return nil, fmt.Errorf("%w: reading the JWKS back: %w", ErrDocument, err)
	}
	if len(s.published.Keys()) != o.set.published() {
		return nil, fmt.Errorf("%w: the JWKS does not hold all published keys", ErrDocument)
	}
	sum := sha256.Sum256(body)
	s.body = body
	s.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	return s, nil
}

// writeJWKS writes the active key first, for verifiers that look at one only.
func writeJWKS(s *set) ([]byte, error) {
	doc := struct {
		Keys []json.RawMessage `json:"keys"`
	}{Keys: []json.RawMessage{}}
	for _, state := range []State{Active, Pending, Retiring} {
		for i := range s.Keys {
			if s.Keys[i].State == state {
				doc.Keys = append(doc.Keys, s.Keys[i].JWK)
			}
		}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("writing the JWKS: %w", err)
	}
	return body, nil
}

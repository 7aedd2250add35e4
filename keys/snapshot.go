package keys

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/jwt"
)

// snapshot is the state of the keys as a manager last read it. It is immutable.
type snapshot struct {
	version  uint64
	document []byte // as it is stored
	loadedAt time.Time
	opened
	signer    *jwt.Signer // of the active key
	published *jwt.KeySet
	body      []byte
	etag      string
}

// at returns the same snapshot with the time at which the store was found unchanged.
func (s *snapshot) at(now time.Time) *snapshot {
	c := *s
	c.loadedAt = now
	return &c
}

// newSnapshot prepares what is served. It parses the JWKS as a verifier does, so that no
// JWKS is served that verifiers could not read.
func newSnapshot(stored Stored, o opened) (*snapshot, error) {
	s := &snapshot{version: stored.Version, document: stored.Document, opened: o}
	active := o.set.in(Active)
	if active == nil {
		return nil, fmt.Errorf("%w: no active key", ErrDocument)
	}
	s.signer = o.private[active.ID].signer
	body, err := writeJWKS(&o.set)
	if err != nil {
		return nil, err
	}
	if s.published, err = jwt.ParseJWKS(body); err != nil {
		return nil, fmt.Errorf("%w: parsing our own JWKS: %w", ErrDocument, err)
	}
	if len(s.published.Keys()) != o.set.published() {
		return nil, fmt.Errorf("%w: the JWKS does not hold all published keys", ErrDocument)
	}
	sum := sha256.Sum256(body)
	s.body = body
	s.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	return s, nil
}

// writeJWKS writes the active key first, for verifiers that read only one.
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

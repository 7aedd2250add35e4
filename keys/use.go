package keys

import (
	"context"
	"fmt"
	"time"

	"issuer.example/jwt"
)

// reloadTimeout bounds the look at the store that a signature may have to wait for.
const reloadTimeout = 5 * time.Second

var _ jwt.Keys = (*Manager)(nil)

// Sign signs any payload with the active key. It returns the compact JWS, whose header
// has this typ, and the id of the key. The error wraps [ErrNotReady] or one of
// [jwt.Signer.Sign].
func (m *Manager) Sign(typ string, payload []byte) (jws, keyID string, err error) {
	signer, err := m.signer()
	if err != nil {
		return "", "", err
	}
	if jws, err = signer.Sign(typ, payload); err != nil {
		return "", "", err
	}
	return jws, signer.Key().ID, nil
}

// Mint signs an access token with the active key. The error is [ErrNotReady],
// [ErrLifetime], or one of [jwt.Signer.Mint].
func (m *Manager) Mint(c *jwt.Claims) (string, error) {
	signer, err := m.signer()
	if err != nil {
		return "", err
	}
	if life := c.Expiry.Sub(c.IssuedAt); life > m.cfg.AccessLifetime {
		return "", fmt.Errorf("%w: it lives for %v, its key keeps %v", ErrLifetime, life, m.cfg.AccessLifetime)
	}
	return signer.Mint(c)
}

// Ready returns nil while there is a key to sign with, else [ErrNotReady] and why.
func (m *Manager) Ready() error {
	_, err := m.signer()
	return err
}

// signer is the active key's. Another issuer may have retired or revoked the key, so
// knowledge that is too old is renewed first. [Manager.Run] keeps that from happening
// while the store answers.
func (m *Manager) signer() (*jwt.Signer, error) {
	if s := m.now.Load(); m.fresh(s) {
		return s.signer, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	if err := m.reload(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return m.now.Load().signer, nil
}

func (m *Manager) fresh(s *snapshot) bool {
	age := m.cfg.Now().Sub(s.loadedAt)
	return age >= 0 && age <= m.cfg.freshFor()
}

func (m *Manager) reload(ctx context.Context) error {
	if err := m.take(ctx); err != nil {
		return err
	}
	defer m.release()
	if m.fresh(m.now.Load()) { // the one before us did it
		return nil
	}
	return m.load(ctx, m.cfg.Now())
}

// Key returns the published key of this id: it verifies what any issuer on the store
// signs. It is false for a key that is gone.
func (m *Manager) Key(kid string) (jwt.Key, bool) { return m.now.Load().published.Key(kid) }

// List returns the keys, the oldest first, with the last ones that are gone.
func (m *Manager) List() []Key {
	s := m.now.Load()
	list := make([]Key, 0, len(s.set.Keys))
	for i := range s.set.Keys {
		list = append(list, s.set.Keys[i].Key)
	}
	return list
}

// JWKS returns the document of the published keys. It is ready made. Its MaxAge is
// the configured one while the store answers. After that it falls, to zero in the
// end: a key that another issuer publishes meanwhile must not start to sign while
// this document is still in a cache.
func (m *Manager) JWKS() Document {
	s := m.now.Load()
	maxAge := time.Duration(0)
	if age := m.cfg.Now().Sub(s.loadedAt); age >= 0 { // else the clock went back: nothing is known
		maxAge = min(m.cfg.MaxAge, m.cfg.PublishBefore-m.cfg.freshFor()-age)
	}
	return Document{Body: s.body, ETag: s.etag, MaxAge: max(0, maxAge.Truncate(time.Second))}
}

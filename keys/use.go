package keys

import (
	"context"
	"fmt"
	"time"

	"issuer.example/jwt"
)

// reloadTimeout is how long a signature may wait for the store to be read.
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

// Mint signs an access token with the active key. The error wraps [ErrNotReady],
// [ErrLifetime], or one of [jwt.Signer.Mint].
func (m *Manager) Mint(c *jwt.Claims) (string, error) {
	signer, err := m.signer()
	if err != nil {
		return "", err
	}
	if life := c.Expiry.Sub(c.IssuedAt); life > m.cfg.AccessLifetime {
		return "", fmt.Errorf("%w: its lifetime is %v, at most %v is allowed", ErrLifetime, life, m.cfg.AccessLifetime)
	}
	return signer.Mint(c)
}

// Ready returns nil when there is a key to sign with, and otherwise an error that wraps
// [ErrNotReady] and says why.
func (m *Manager) Ready() error {
	_, err := m.signer()
	return err
}

// signer returns the active key's signer. Another issuer may have retired or revoked that
// key, so a snapshot that is too old is reloaded first. While the store answers,
// [Manager.Run] reloads it earlier.
func (m *Manager) signer() (*jwt.Signer, error) {
	if s := m.current.Load(); m.fresh(s) {
		return s.signer, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	if err := m.reload(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return m.current.Load().signer, nil
}

func (m *Manager) fresh(s *snapshot) bool {
	age := m.cfg.Now().Sub(s.loadedAt)
	return age >= 0 && age <= m.cfg.freshFor()
}

func (m *Manager) reload(ctx context.Context) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	if m.fresh(m.current.Load()) { // another goroutine reloaded it
		return nil
	}
	return m.load(ctx, m.cfg.Now())
}

// Key returns the published key with this id, whichever issuer on the store made it. It
// returns false for a key that is gone.
func (m *Manager) Key(kid string) (jwt.Key, bool) { return m.current.Load().published.Key(kid) }

// List returns all keys, the oldest first, including the last 32 that are gone.
func (m *Manager) List() []Key {
	s := m.current.Load()
	list := make([]Key, 0, len(s.set.Keys))
	for i := range s.set.Keys {
		list = append(list, s.set.Keys[i].Key)
	}
	return list
}

// JWKS returns the JWKS document of the published keys, which is prepared in advance. Its
// MaxAge is the configured one while the store answers. While it does not, MaxAge falls
// to zero: a key that another issuer publishes must not start to sign while a document
// without it is still in a cache.
func (m *Manager) JWKS() Document {
	s := m.current.Load()
	maxAge := time.Duration(0)
	if age := m.cfg.Now().Sub(s.loadedAt); age >= 0 { // a negative age means that the clock was set back
		maxAge = min(m.cfg.MaxAge, m.cfg.PublishBefore-m.cfg.freshFor()-age)
	}
	return Document{Body: s.body, ETag: s.etag, MaxAge: max(0, maxAge.Truncate(time.Second))}
}

package keys

import (
	"context"
	"errors"

	"issuer.example/jwt"
)

type Manager struct{}

func Open(ctx context.Context, cfg Config) (*Manager, error)            { return nil, errors.New("keys: soon") }
func (m *Manager) Run(ctx context.Context) error                        { return nil }
func (m *Manager) Step(ctx context.Context) error                       { return nil }
func (m *Manager) Rotate(ctx context.Context) (Key, error)              { return Key{}, nil }
func (m *Manager) Promote(ctx context.Context, kid string) error        { return nil }
func (m *Manager) Revoke(ctx context.Context, kid, reason string) error { return nil }
func (m *Manager) List() []Key                                          { return nil }
func (m *Manager) Key(kid string) (jwt.Key, bool)                       { return jwt.Key{}, false }
func (m *Manager) Sign(typ string, payload []byte) (string, error)      { return "", nil }
func (m *Manager) Mint(c *jwt.Claims) (string, error)                   { return "", nil }
func (m *Manager) JWKS() Document                                       { return Document{} }
func (m *Manager) Ready() error                                         { return nil }

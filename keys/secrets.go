package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"issuer.example/secret"
)

// UseSecrets replaces [Config.Secrets]: from now on the first of these seals, and each of them
// opens. What is sealed by another than the first is sealed anew at once. The error wraps
// [ErrWrongSecret] if a stored key is sealed by none of them, or it is the store's; then the
// secrets stay as they are.
func (m *Manager) UseSecrets(ctx context.Context, secrets []secret.Secret) error {
	if len(secrets) == 0 || slices.ContainsFunc(secrets, secret.Secret.IsZero) {
		return fmt.Errorf("%w: no secret, or an empty one", ErrConfig)
	}
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	before := m.secrets
	m.secrets = slices.Clone(secrets)
	err := m.resealAll(ctx)
	switch {
	case errors.Is(err, errSwap):
		// The swap may have happened: the document may be sealed by a new secret.
		m.secrets = slices.Concat(before, secrets)
	case err != nil:
		m.secrets = before
	}
	return err
}

// errSwap means that it is not known whether the store has the new document.
var errSwap = errors.New("sealing the keys anew")

// resealAll opens the stored document with the configured secrets alone, and stores it anew if
// the first of them has not sealed all of it.
func (m *Manager) resealAll(ctx context.Context) error {
	for range maxAttempts {
		now := m.cfg.Now()
		stored, err := m.cfg.Store.LoadKeys(ctx)
		if err != nil {
			return fmt.Errorf("loading the keys: %w", err)
		}
		o, err := decode(stored.Document, m.secrets, nil)
		if err != nil {
			return err
		}
		if known := m.current.Load(); known.hasLost(stored) {
			if err := m.rejoin(ctx, known, stored, now); err != nil && !errors.Is(err, ErrConflict) {
				return fmt.Errorf("%w: %w", errSwap, err)
			}
			continue
		}
		if err := m.install(stored, o, now); err != nil || !o.reseal {
			return err
		}
		err = m.store(ctx, newDraft(&m.cfg, &keyMaker{}, now, m.current.Load()))
		if !errors.Is(err, ErrConflict) {
			if err != nil {
				return fmt.Errorf("%w: %w", errSwap, err)
			}
			return nil
		}
	}
	return fmt.Errorf("giving up after %d attempts: %w", maxAttempts, ErrConflict)
}

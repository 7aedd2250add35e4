package keys

import (
	"context"
	"fmt"
)

// Refresh reads what the store has at the time of the call, whichever issuer changed it last. Those who call
// at once share a reading. The error wraps [ErrNotReady].
func (m *Manager) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	if err := m.readSince(ctx, m.readings.Load()); err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return nil
}

// readSince reads the store, unless that was done since so many readings had begun.
func (m *Manager) readSince(ctx context.Context, began uint64) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	if m.lastReading > began {
		return nil
	}
	return m.load(ctx, m.cfg.Now())
}

package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// maxAttempts bounds the races that one change may lose.
const maxAttempts = 16

// Manager owns the signing keys of an issuer. It is safe for concurrent use. Reading
// and signing take no lock.
type Manager struct {
	cfg Config
	// turn is held, as its only element, by the goroutine that talks to the store.
	turn chan struct{}
	now  atomic.Pointer[snapshot]
}

// Open loads the keys, or makes the first one, which signs at once since no verifier
// has asked for a JWKS before. It takes the steps that are due, and seals under the
// first secret what is under another, so that an old secret is not needed after one
// start of each issuer.
//
// The error is [ErrConfig], [ErrWrongSecret], [ErrNewerSchema], [ErrDocument] or the
// store's. Nothing was changed then.
func Open(ctx context.Context, cfg Config) (*Manager, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, turn: make(chan struct{}, 1)}
	err := m.change(ctx, func(d *draft) error {
		if loaded := m.now.Load(); loaded != nil && loaded.foreign {
			d.changed = true
		}
		return d.advance()
	})
	if err != nil {
		return nil, fmt.Errorf("opening the signing keys: %w", err)
	}
	return m, nil
}

// Run keeps the schedule until ctx ends, and then returns nil. It calls [Manager.Step]
// every PublishBefore/40, at most every 30 seconds. A step that fails is logged and
// tried again at the next turn.
func (m *Manager) Run(ctx context.Context) error {
	ticker := time.NewTicker(m.cfg.stepEvery())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := m.Step(ctx); err != nil && ctx.Err() == nil {
			m.cfg.Logger.LogAttrs(ctx, slog.LevelError, "key schedule failed", slog.Any("error", err))
		}
	}
}

// Step reads the store and takes the steps of the schedule that are due: publish,
// promote, retire, drop. A repeated or concurrent Step, here or in another issuer,
// does no harm.
func (m *Manager) Step(ctx context.Context) error {
	return m.change(ctx, (*draft).advance)
}

// change applies edit to the stored keys by compare-and-swap. The edit runs again, on
// newer keys, when the swap lost a race, and may return an error to change nothing.
func (m *Manager) change(ctx context.Context, edit func(*draft) error) error {
	if err := m.take(ctx); err != nil {
		return err
	}
	defer m.release()
	var f forge
	for range maxAttempts {
		now := m.cfg.Now()
		if err := m.load(ctx, now); err != nil {
			return err
		}
		d := newDraft(&m.cfg, &f, now, m.now.Load())
		if err := edit(d); err != nil {
			return err
		}
		if !d.changed {
			return nil
		}
		err := m.store(ctx, d)
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("giving up after %d attempts: %w", maxAttempts, ErrConflict)
}

func (m *Manager) take(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for another change of the keys: %w", ctx.Err())
	}
}

func (m *Manager) release() { <-m.turn }

// load brings the snapshot up to date with the store.
func (m *Manager) load(ctx context.Context, now time.Time) error {
	stored, err := m.cfg.Store.LoadKeys(ctx)
	if err != nil {
		return fmt.Errorf("loading the keys: %w", err)
	}
	known := m.now.Load()
	switch {
	case known == nil && stored.Version == 0:
		return nil
	case known != nil && stored.Version < known.version:
		return fmt.Errorf("%w: version %d is stored, version %d was seen before", ErrDocument, stored.Version, known.version)
	case known != nil && stored.Version == known.version:
		m.now.Store(known.at(now))
		return nil
	}
	var ring map[string]material
	if known != nil {
		ring = known.ring
	}
	o, err := decode(stored.Document, m.cfg.Secrets, ring)
	if err != nil {
		return err
	}
	return m.install(stored.Version, o, now)
}

// store writes the draft and takes it into use. Its loading time is the time before
// the load: the swap has proved that nothing changed since.
func (m *Manager) store(ctx context.Context, d *draft) error {
	changes := d.changes() // before encode forgets what has long been gone
	text, err := d.encode()
	if err != nil {
		return err
	}
	var from uint64
	if known := m.now.Load(); known != nil {
		from = known.version
	}
	if err := m.cfg.Store.SwapKeys(ctx, from, text, changes); err != nil {
		return fmt.Errorf("storing the keys: %w", err)
	}
	d.emit(ctx)
	return m.install(from+1, opened{set: d.set, ring: d.ring}, d.now)
}

func (m *Manager) install(version uint64, o opened, now time.Time) error {
	s, err := newSnapshot(version, o)
	if err != nil {
		return err
	}
	m.now.Store(s.at(now))
	return nil
}

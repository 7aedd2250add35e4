package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"issuer.example/secret"
)

const (
	// maxAttempts is how often one change is tried when other issuers change the keys too.
	maxAttempts = 16
	// wakeRetry is when a step that [Manager.Wake] has asked for is tried again.
	wakeRetry = time.Second
)

// Manager manages the signing keys of an issuer. It is safe for concurrent use. Reading
// and signing take no lock.
type Manager struct {
	cfg Config
	// storeLock has one element while a goroutine uses the store. It is a channel so
	// that waiting for it can end with a context.
	storeLock chan struct{}
	secrets   []secret.Secret // of cfg, or those that replaced them; storeLock guards it
	current   atomic.Pointer[snapshot]
	wake      chan struct{} // has room for one; makes Run take a step now

	readings    atomic.Uint64 // how many readings of the store have begun; storeLock guards its changes
	lastReading uint64        // the last of them that succeeded; storeLock guards it
}

// Open loads the keys, or makes the first one, which signs at once since no verifier can
// have a JWKS without it. It takes the steps of the schedule that are due, and encrypts
// with the first secret what is encrypted with another, so that an old secret is no longer
// needed after each issuer has started once.
//
// The error wraps [ErrConfig], [ErrWrongSecret], [ErrNewerSchema], [ErrDocument] or is the
// store's. Nothing was changed then.
func Open(ctx context.Context, cfg Config) (*Manager, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, storeLock: make(chan struct{}, 1), secrets: cfg.Secrets, wake: make(chan struct{}, 1)}
	err := m.change(ctx, func(d *draft) error {
		if loaded := m.current.Load(); loaded != nil && loaded.reseal {
			d.changed = true
		}
		return d.advance()
	})
	if err != nil {
		return nil, fmt.Errorf("opening the signing keys: %w", err)
	}
	return m, nil
}

// Run runs the rotation schedule until ctx ends, and then returns nil. It calls
// [Manager.Step] every PublishBefore/40, but at least every 30 seconds, and after
// [Manager.Wake]. A step that fails is logged, and the next one tries again.
func (m *Manager) Run(ctx context.Context) error {
	ticker := time.NewTicker(m.cfg.stepEvery())
	defer ticker.Stop()
	retry := time.NewTimer(0)
	defer retry.Stop()
	retry.Stop() // until a step fails that was not due by the schedule
	for {
		woken := true
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			woken = false
		case <-m.wake:
		case <-retry.C:
		}
		if err := m.Step(ctx); err != nil && ctx.Err() == nil {
			m.cfg.Logger.LogAttrs(ctx, slog.LevelError, "key schedule failed", slog.Any("error", err))
			if woken {
				retry.Reset(wakeRetry)
			}
		}
	}
}

// Wake makes [Manager.Run] take a step now: another issuer may have changed the keys. It does
// not block.
func (m *Manager) Wake() {
	select {
	case m.wake <- struct{}{}:
	default: // it has been woken already
	}
}

// Step reads the store and takes the steps of the schedule that are due: publish,
// promote, retire, remove. Step may be repeated and run concurrently, here or in another
// issuer.
func (m *Manager) Step(ctx context.Context) error {
	return m.change(ctx, (*draft).advance)
}

// change applies edit to the stored keys by compare-and-swap. When the swap loses a race,
// edit runs again on the newer keys. When edit returns an error nothing is changed.
func (m *Manager) change(ctx context.Context, edit func(*draft) error) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	var maker keyMaker
	for range maxAttempts {
		now := m.cfg.Now()
		if err := m.load(ctx, now); errors.Is(err, ErrConflict) {
			continue
		} else if err != nil {
			return err
		}
		d := newDraft(&m.cfg, &maker, now, m.current.Load())
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

func (m *Manager) lock(ctx context.Context) error {
	select {
	case m.storeLock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for another change of the keys: %w", ctx.Err())
	}
}

func (m *Manager) unlock() { <-m.storeLock }

// load updates the snapshot from the store.
func (m *Manager) load(ctx context.Context, now time.Time) error {
	number := m.readings.Add(1)
	stored, err := m.cfg.Store.LoadKeys(ctx)
	if err != nil {
		return fmt.Errorf("loading the keys: %w", err)
	}
	if known := m.current.Load(); known != nil && known.hasLost(stored) {
		err = m.rejoin(ctx, known, stored, now)
	} else {
		err = m.adopt(stored, now)
	}
	if err == nil {
		m.lastReading = number
	}
	return err
}

// adopt makes what was read the snapshot, unless it is that already.
func (m *Manager) adopt(stored Stored, now time.Time) error {
	known := m.current.Load()
	switch {
	case known == nil && stored.Version == 0:
		return nil
	case known != nil && stored.Version == known.version:
		m.current.Store(known.at(now))
		return nil
	}
	var private map[string]privateKey
	if known != nil {
		private = known.private
	}
	o, err := decode(stored.Document, m.secrets, private)
	if err != nil {
		return err
	}
	return m.install(stored, o, now)
}

// store writes the draft and installs it as the snapshot. The time of the snapshot is the
// draft's, from before the load: the swap proves that nothing changed in between.
func (m *Manager) store(ctx context.Context, d *draft) error {
	var from uint64
	if known := m.current.Load(); known != nil {
		from = known.version
	}
	return m.storeFrom(ctx, from, d)
}

// storeFrom does it if that is the version that is stored.
func (m *Manager) storeFrom(ctx context.Context, from uint64, d *draft) error {
	changes := d.changes() // before encode forgets what has long been gone
	text, err := d.encode(m.secrets[0])
	if err != nil {
		return err
	}
	if err := m.cfg.Store.SwapKeys(ctx, from, text, changes); err != nil {
		return fmt.Errorf("storing the keys: %w", err)
	}
	d.writeLog(ctx)
	return m.install(Stored{Version: from + 1, Document: text}, opened{set: d.set, private: d.private}, d.now)
}

// install makes a document the snapshot that is used from now on.
func (m *Manager) install(stored Stored, o opened, now time.Time) error {
	s, err := newSnapshot(stored, o)
	if err != nil {
		return err
	}
	m.current.Store(s.at(now))
	return nil
}

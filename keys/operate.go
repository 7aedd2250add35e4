package keys

import (
	"context"
	"fmt"
)

// Rotate publishes a new key now and returns it. The schedule promotes it after
// Config.PublishBefore. While a key is pending, Rotate returns that one and changes
// nothing. by names who asks, for the journal: see [Change]. The error wraps [ErrTooMany] or is
// the store's.
func (m *Manager) Rotate(ctx context.Context, by string) (Key, error) {
	var key Key
	err := m.change(ctx, func(d *draft) error {
		d.by = by
		if pending := d.set.in(Pending); pending != nil {
			key = pending.Key
			return nil
		}
		if n := d.set.published(); n >= maxPublished {
			return fmt.Errorf("%w: %d", ErrTooMany, n)
		}
		r, err := d.publish()
		if err != nil {
			return err
		}
		key = r.Key
		return nil
	})
	if err != nil {
		return Key{}, fmt.Errorf("rotating the keys: %w", err)
	}
	return key, nil
}

// Promote makes a pending key the active one. While verifiers may not know it yet the
// error is a [TooEarlyError]. For the active key nothing changes. For a key that has
// stopped signing the error wraps [ErrRetired], and for an unknown one [ErrNotFound]. by
// names who asks.
func (m *Manager) Promote(ctx context.Context, by, kid string) error {
	return m.change(ctx, func(d *draft) error {
		d.by = by
		r := d.set.find(kid)
		switch {
		case r == nil:
			return fmt.Errorf("promoting %q: %w", kid, ErrNotFound)
		case r.State == Active:
			return nil
		case r.State != Pending:
			return fmt.Errorf("promoting %q: %w", kid, ErrRetired)
		}
		if until := d.signAfter(r); d.now.Before(until) {
			return &TooEarlyError{Until: until}
		}
		d.activate(r, "key promoted")
		return nil
	})
}

package keys

import (
	"context"
	"fmt"
)

// Rotate publishes a new key now. The schedule promotes it when Config.PublishBefore
// has passed. While a key is pending Rotate returns that one and changes nothing. The
// error is [ErrTooMany] or the store's.
func (m *Manager) Rotate(ctx context.Context) (Key, error) {
	var key Key
	err := m.change(ctx, func(d *draft) error {
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

// Promote makes a pending key the active one. Before every verifier can have seen it
// the error is a [TooEarlyError]. For the active key nothing changes. A key that has
// stopped signing is [ErrRetired], an unknown one [ErrNotFound].
func (m *Manager) Promote(ctx context.Context, kid string) error {
	return m.change(ctx, func(d *draft) error {
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

package keys

import (
	"context"
	"fmt"
	"unicode"
	"unicode/utf8"
)

const maxReason = 256

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

// Revoke takes a key out of the JWKS at once, for an emergency: verifiers refuse its
// tokens as soon as they ask for the JWKS again. When the key was active another
// signs at once: the pending one, or a new one, which verifiers may not know yet.
// Other issuers on the store follow at their next step. The reason, at most 256 bytes
// of printable UTF-8, is kept and shown. A key that is already gone stays as it is; an
// unknown one is [ErrNotFound].
func (m *Manager) Revoke(ctx context.Context, kid, reason string) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	return m.change(ctx, func(d *draft) error {
		r := d.set.find(kid)
		switch {
		case r == nil:
			return fmt.Errorf("revoking %q: %w", kid, ErrNotFound)
		case r.State == Gone:
			return nil
		}
		wasActive := r.State == Active
		d.drop(r, reason)
		d.revoked = kid
		d.log("key revoked", r)
		if wasActive {
			return d.activateAny()
		}
		return nil
	})
}

// Revocable reports whether [Manager.Revoke] would change anything: false for a key that is
// gone already. Its errors are those of Revoke, so that a caller who does more than
// revoke the key knows beforehand that it will not be refused.
func (m *Manager) Revocable(kid, reason string) (bool, error) {
	if err := checkReason(reason); err != nil {
		return false, err
	}
	for _, k := range m.List() {
		if k.ID == kid {
			return k.State != Gone, nil
		}
	}
	return false, fmt.Errorf("revoking %q: %w", kid, ErrNotFound)
}

func checkReason(reason string) error {
	if len(reason) > maxReason {
		return fmt.Errorf("%w: longer than %d bytes", ErrReason, maxReason)
	}
	if !utf8.ValidString(reason) {
		return fmt.Errorf("%w: not UTF-8", ErrReason)
	}
	for _, r := range reason {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%w: unprintable characters", ErrReason)
		}
	}
	return nil
}

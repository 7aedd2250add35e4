package keys

import (
	"context"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

const maxReason = 256 // bytes

// revokeTimeout bounds an emergency revoke whose caller may be gone.
const revokeTimeout = 10 * time.Second

// Revoke withdraws a key at once, for an emergency: whoever has a copy of the private key
// can have made tokens for any session. It takes three steps:
//
//  1. It calls endSessions, which durably ends every session there is and tells the
//     verifiers that follow the revocation feed. When that fails the key is unchanged
//     and the call can be repeated.
//  2. It removes the key from the JWKS. When the key was active another one signs at
//     once: the pending one, or a new one, which verifiers may not know yet. Other
//     issuers on the store follow at their next step.
//  3. It calls endSessions again: verifiers fetch the JWKS when they learn that
//     everything is revoked, and now it no longer has the key. This call also ends what
//     was minted between the first two steps. When it fails the error wraps
//     [ErrNotAnnounced]. A repeated Revoke would change nothing then; the caller has to
//     end all sessions.
//
// Once it has begun the end of ctx does not stop it, but a store that hangs does, after 10 s.
// The reason is kept and shown; it may be empty, and an invalid one is [ErrReason]. An unknown
// key is [ErrNotFound]. by names who asks. For a key that is gone already Revoke does nothing.
func (m *Manager) Revoke(ctx context.Context, by, kid, reason string, endSessions func(context.Context) error) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	present, err := m.published(ctx, kid)
	if err != nil || !present {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	if err := endSessions(ctx); err != nil {
		return fmt.Errorf("ending all sessions before key %q is withdrawn: %w", kid, err)
	}
	if err := m.withdraw(ctx, by, kid, reason); err != nil {
		return err
	}
	if err := endSessions(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrNotAnnounced, err)
	}
	return nil
}

// published reports whether the stored set has the key in the JWKS. A key that it has
// never had is ErrNotFound.
func (m *Manager) published(ctx context.Context, kid string) (present bool, err error) {
	err = m.change(ctx, func(d *draft) error {
		r := d.set.find(kid)
		if r == nil {
			return fmt.Errorf("revoking %q: %w", kid, ErrNotFound)
		}
		present = r.State != Gone
		return nil
	})
	return present, err
}

// withdraw removes a key from the JWKS and lets another one sign in its place.
func (m *Manager) withdraw(ctx context.Context, by, kid, reason string) error {
	return m.change(ctx, func(d *draft) error {
		d.by = by
		r := d.set.find(kid)
		if r == nil || r.State == Gone {
			return nil // the schedule or another issuer was faster
		}
		wasActive := r.State == Active
		d.remove(r, reason)
		d.revoked = kid
		d.log("key revoked", r)
		if wasActive {
			return d.activateAny()
		}
		return nil
	})
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

package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// HandoffLifetime is how long a hand-off code can be claimed.
const HandoffLifetime = time.Minute

// A hand-off code stands for a session whose tokens nobody has yet. It is
//
//	version | key id | sid (16) | tag (16)
//
// written as "hc_" and unpadded base64url. The tag is HMAC-SHA-256 over all before it and
// the origin that may claim it, truncated. Nothing of a code is stored: the session itself
// says whether it was claimed (its first generation is redeemed) and until when it can be
// (its idle end).
const (
	handoffPrefix  = "hc_"
	handoffVersion = 1
	handoffLen     = 1 + 1 + 16 + tagLen
)

// Handoff is a session that waits to be claimed.
type Handoff struct {
	View View // its idle end is when the code expires
	Code string
}

// MintHandoff is [Service.Mint] for a browser on another site: instead of tokens there is
// a code, that a page of the given origin can claim once within [HandoffLifetime]. With ""
// any origin may that the caller of [Service.Claim] admits. A session that is not claimed
// ends with its code.
func (s *Service) MintHandoff(ctx context.Context, req MintRequest, origin string) (Handoff, error) {
	v, _, err := s.begin(ctx, req, min(HandoffLifetime, s.cfg.IdleTimeout))
	if err != nil {
		return Handoff{}, err
	}
	return Handoff{View: v, Code: s.ring.sealHandoff(v.ID, origin)}, nil
}

// Claim redeems a hand-off code for a page of that origin. The grant has both tokens. A
// code that is forged, for another origin, too old or used before is [ErrHandoffInvalid];
// a session that was ended meanwhile is [ErrRevoked]. Of any number of claims at once one
// succeeds.
func (s *Service) Claim(ctx context.Context, code, origin string, from Client) (Grant, error) {
	id, key, err := s.ring.openHandoff(code, origin)
	if err != nil {
		return Grant{}, err
	}
	var (
		v   View
		st  State
		now time.Time
	)
	err = s.cfg.Store.Update(ctx, func(tx Tx) error {
		snap, before, err := s.load(tx, id, s.now())
		if err != nil {
			return err
		}
		if err := claimable(snap, before); err != nil {
			return err
		}
		now = latest(s.now(), snap.State.LastSeenAt)
		sess := snap.Session
		sess.IdleTimeout = s.cfg.IdleTimeout
		st = State{
			State:      refresh.State{Generation: 1, Branch: randomBranch(), KeyID: key, RedeemedAt: now},
			LastSeenAt: now, LastIP: from.IP.Unmap(),
		}
		v = s.unmarked(Snapshot{Session: sess, State: st})
		if err := tx.Amend(sess); err != nil {
			return err
		}
		return tx.SetState(id, st)
	})
	if err != nil {
		return Grant{}, unclaimed(err)
	}
	g, err := s.grant(v, now)
	if err != nil {
		return Grant{}, err
	}
	g.RefreshToken = s.ring.seal(s.ring.child(id, st))
	return g, nil
}

// claimable refuses a session that was claimed, or that has ended.
func claimable(snap Snapshot, v View) error {
	switch {
	case !v.End.IsZero() && v.End.Reason != ReasonIdle && v.End.Reason != ReasonExpired:
		return v.End.refusal()
	case !v.End.IsZero() || snap.State.Generation != 0:
		return ErrHandoffInvalid
	}
	return nil
}

// unclaimed makes a code of a session that the store does not know an invalid one.
func unclaimed(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrHandoffInvalid
	}
	return err
}

func (r *keyring) sealHandoff(id sid.ID, origin string) string {
	raw := make([]byte, 0, handoffLen)
	raw = append(raw, handoffVersion, r.keys[0].id)
	raw = append(raw, id[:]...)
	raw = append(raw, r.keys[0].handoffTag(raw, origin)...)
	return handoffPrefix + base64.RawURLEncoding.EncodeToString(raw)
}

// openHandoff reads a code for a page of that origin: one that is bound to it, or to none.
// It also returns under which key the session goes on.
func (r *keyring) openHandoff(code, origin string) (id sid.ID, key byte, err error) {
	text, ok := strings.CutPrefix(code, handoffPrefix)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(handoffLen) || strings.ContainsAny(text, "\r\n") {
		return id, 0, errForgedHandoff
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || raw[0] != handoffVersion {
		return id, 0, errForgedHandoff
	}
	said, tag := raw[:handoffLen-tagLen], raw[handoffLen-tagLen:]
	refused := ErrHandoffInvalid
	for _, k := range r.keys {
		if k.id != raw[1] {
			continue
		}
		refused = errForgedHandoff // or for a page of another origin, which cannot be told
		for _, bound := range []string{origin, ""} {
			if hmac.Equal(tag, k.handoffTag(said, bound)) {
				return sid.ID(raw[2:18]), r.keys[0].id, nil
			}
		}
	}
	return id, 0, refused
}

func (k ringKey) handoffTag(said []byte, origin string) []byte {
	mac := hmac.New(sha256.New, k.handoff)
	mac.Write(said)
	mac.Write([]byte(origin))
	return mac.Sum(nil)[:tagLen]
}

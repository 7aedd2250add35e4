package keys

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"time"
)

// hasLost reports whether the store has lost a swap that this issuer knows: what is stored is older, or of the same
// version and another document. That happens when an asynchronous standby takes over.
func (s *snapshot) hasLost(stored Stored) bool {
	return stored.Version < s.version || stored.Version == s.version && !bytes.Equal(stored.Document, s.document)
}

// rejoin adds what this issuer knows to a store that has lost it. Until that is done, what was read is not used: it may
// have a key that was revoked since, and lack one whose tokens are valid.
func (m *Manager) rejoin(ctx context.Context, known *snapshot, stored Stored, now time.Time) error {
	before := &snapshot{version: stored.Version}
	if stored.Version > 0 {
		o, err := decode(stored.Document, m.secrets, known.private)
		if err != nil {
			return err
		}
		before.opened = o
	}
	d := newDraft(&m.cfg, &keyMaker{}, now, before)
	d.merge(known)
	m.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "the store has lost a change of the signing keys, which is written again",
		slog.Uint64("stored_version", stored.Version), slog.Uint64("known_version", known.version))
	return m.storeFrom(ctx, stored.Version, d)
}

// stages are the states in the order in which a key reaches them.
var stages = []State{Pending, Active, Retiring, Gone}

// merge adds what is known of keys beyond the draft: those that it lacks, and states that they have reached.
func (d *draft) merge(known *snapshot) {
	d.set.MaxAge = max(d.set.MaxAge, known.set.MaxAge)
	d.set.CachedUntil = later(d.set.CachedUntil, known.set.CachedUntil)
	for i := range known.set.Keys {
		d.mergeKey(known.set.Keys[i], known)
	}
	slices.SortStableFunc(d.set.Keys, func(a, b record) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for i := range d.set.Keys {
		if r := &d.set.Keys[i]; r.State == Active && r != d.set.in(Active) {
			d.retire(r)
		}
	}
	d.changed = true
}

func (d *draft) mergeKey(k record, known *snapshot) {
	r := d.set.find(k.ID)
	switch {
	case r == nil && k.State == Pending:
		if d.set.in(Pending) != nil {
			return // it has not signed, and there is another successor
		}
		// Other issuers did not publish it meanwhile, so the wait for caches begins anew.
		k.PublishedAt = d.storedNow()
		k.SignAfter = later(k.PublishedAt.Add(d.cfg.PublishBefore), later(k.SignAfter, d.set.CachedUntil))
		d.set.Keys = append(d.set.Keys, k)
	case r == nil:
		d.set.Keys = append(d.set.Keys, k)
	case slices.Index(stages, k.State) > slices.Index(stages, r.State):
		*r = k
	default:
		return
	}
	delete(d.private, k.ID)
	if p, ok := known.private[k.ID]; ok {
		d.private[k.ID] = p
	}
}

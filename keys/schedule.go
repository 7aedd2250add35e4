package keys

import (
	"slices"
	"time"
)

const (
	// maxPublished keeps the JWKS well below the limits of jwt.ParseJWKS and of other
	// verifiers.
	maxPublished = 32
	// maxGone is how many keys that are gone stay in the history.
	maxGone = 32
)

// advance takes the steps of the schedule that are due now. It may run at any time and
// any number of times.
func (d *draft) advance() error {
	d.raiseLimits()
	d.removeExpired()
	if d.set.in(Active) == nil {
		return d.activateAny()
	}
	if pending := d.set.in(Pending); pending != nil {
		if !d.now.Before(d.signAfter(pending)) {
			d.activate(pending, "key promoted")
		}
		return nil
	}
	if d.due(d.set.in(Active)) && d.set.published() < maxPublished {
		_, err := d.publish()
		return err
	}
	return nil
}

// raiseLimits stores a larger max-age or lifetime before it is used. A smaller one takes
// effect with the next key.
func (d *draft) raiseLimits() {
	if maxAge := seconds(d.cfg.MaxAge); d.set.MaxAge < maxAge {
		d.set.MaxAge = maxAge
		d.changed = true
	}
	lifetime := seconds(d.cfg.AccessLifetime)
	if active := d.set.in(Active); active != nil && active.Lifetime < lifetime {
		active.Lifetime = lifetime
		d.changed = true
	}
}

// removeExpired removes the retiring keys whose last token has expired.
func (d *draft) removeExpired() {
	for i := range d.set.Keys {
		if r := &d.set.Keys[i]; r.State == Retiring && !d.now.Before(r.KeepUntil) {
			d.remove(r, "")
			d.log("key gone", r)
		}
	}
}

// due reports whether a successor of the active key should be published.
func (d *draft) due(active *record) bool {
	return active.Algorithm != d.cfg.Algorithm ||
		!d.now.Before(active.ActivatedAt.Add(d.cfg.RotateEvery-d.cfg.PublishBefore))
}

// signAfter returns when a pending key may sign: the later of the time that was stored
// when it was published and the time by the current setting.
func (d *draft) signAfter(pending *record) time.Time {
	return later(pending.SignAfter, pending.PublishedAt.Add(d.cfg.PublishBefore))
}

// publish adds a new pending key.
func (d *draft) publish() (*record, error) {
	r, err := d.add()
	if err != nil {
		return nil, err
	}
	d.lowerMaxAge(r.PublishedAt)
	r.SignAfter = later(r.PublishedAt.Add(d.cfg.PublishBefore), d.set.CachedUntil)
	d.log("key published", r)
	return r, nil
}

// lowerMaxAge applies a smaller max-age. A JWKS that was served with the larger one may
// stay in caches for that long, so CachedUntil keeps that time for later keys.
func (d *draft) lowerMaxAge(at time.Time) {
	maxAge := seconds(d.cfg.MaxAge)
	if d.set.MaxAge > maxAge {
		cached := time.Duration(d.set.MaxAge)*time.Second + d.cfg.margin()
		d.set.CachedUntil = later(d.set.CachedUntil, at.Add(cached))
		d.set.MaxAge = maxAge
	}
	if !at.Before(d.set.CachedUntil) {
		d.set.CachedUntil = time.Time{}
	}
}

// add generates a key and appends it as pending.
func (d *draft) add() (*record, error) {
	p, err := d.maker.key(d.cfg.Algorithm)
	if err != nil {
		return nil, err
	}
	public, err := publicJWK(p.signer.Key())
	if err != nil {
		return nil, err
	}
	d.now = later(d.now, d.cfg.Now()) // generating the key may have taken seconds
	r := record{JWK: public}
	r.ID, r.Algorithm, r.State = p.signer.Key().ID, d.cfg.Algorithm, Pending
	r.CreatedAt, r.PublishedAt = d.storedNow(), d.storedNow()
	d.private[r.ID] = p
	d.set.Keys = append(d.set.Keys, r)
	d.changed = true
	return &d.set.Keys[len(d.set.Keys)-1], nil
}

// activateAny makes a key active without the wait for verifiers: the very first key, or
// the one that replaces a revoked key.
func (d *draft) activateAny() error {
	r := d.set.in(Pending)
	if r == nil {
		var err error
		if r, err = d.add(); err != nil {
			return err
		}
	}
	d.activate(r, "key activated at once")
	return nil
}

// activate makes r the active key, and retires the one that is active now.
func (d *draft) activate(r *record, message string) {
	if active := d.set.in(Active); active != nil {
		d.retire(active)
	}
	r.State = Active
	r.ActivatedAt = later(d.storedNow(), r.PublishedAt)
	r.Lifetime = seconds(d.cfg.AccessLifetime)
	r.SignAfter = time.Time{}
	d.changed = true
	d.log(message, r)
}

// retire ends signing with r. Its private key is erased. Its public key stays in the JWKS
// until the last token has expired, with leeway and clock skew added.
func (d *draft) retire(r *record) {
	r.State = Retiring
	r.RetiringAt = later(d.storedNow(), r.ActivatedAt)
	lifetime := time.Duration(r.Lifetime) * time.Second
	r.KeepUntil = r.RetiringAt.Add(lifetime + d.cfg.Leeway + d.cfg.margin())
	r.Sealed = ""
	delete(d.private, r.ID)
	d.changed = true
	d.log("key retiring", r)
}

// remove removes r from the JWKS and keeps its history.
func (d *draft) remove(r *record, reason string) {
	r.State = Gone
	r.GoneAt = later(later(d.storedNow(), r.PublishedAt), later(r.ActivatedAt, r.RetiringAt))
	r.Reason = reason
	r.Sealed, r.JWK = "", nil
	r.SignAfter, r.KeepUntil = time.Time{}, time.Time{}
	delete(d.private, r.ID)
	d.changed = true
}

// forget removes the keys that have been gone for longest, beyond the number that is
// kept.
func (s *set) forget() {
	for excess := len(s.Keys) - s.published() - maxGone; excess > 0; excess-- {
		longest := -1
		for i := range s.Keys {
			r := &s.Keys[i]
			if r.State == Gone && (longest < 0 || r.GoneAt.Before(s.Keys[longest].GoneAt)) {
				longest = i
			}
		}
		s.Keys = slices.Delete(s.Keys, longest, longest+1)
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// seconds returns d in seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

package keys

import (
	"slices"
	"time"
)

const (
	// maxPublished keeps the JWKS well below what jwt.ParseJWKS and others take.
	maxPublished = 32
	// maxGone is how many keys that are gone are remembered.
	maxGone = 32
)

// advance makes the steps that are due now. It is safe to run at any time, by
// anyone, and as often as one likes.
func (d *draft) advance() error {
	d.raisePromises()
	d.dropExpired()
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

// raisePromises makes a longer setting durable before anyone relies on it. A shorter
// one takes hold with the next key.
func (d *draft) raisePromises() {
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

func (d *draft) dropExpired() {
	for i := range d.set.Keys {
		if r := &d.set.Keys[i]; r.State == Retiring && !d.now.Before(r.KeepUntil) {
			d.drop(r, "")
			d.log("key gone", r)
		}
	}
}

// due reports whether a successor of the active key should be published.
func (d *draft) due(active *record) bool {
	return active.Algorithm != d.cfg.Algorithm ||
		!d.now.Before(active.ActivatedAt.Add(d.cfg.RotateEvery-d.cfg.PublishBefore))
}

// signAfter is when a pending key may sign: what was promised when it was
// published, and what the present setting says.
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

// lowerMaxAge lets a shorter max-age take hold. What was served under the longer one
// stays in caches for its time, whatever becomes of the keys meanwhile.
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

// add makes a key and appends it, pending.
func (d *draft) add() (*record, error) {
	m, err := d.forge.make(d.cfg.Algorithm)
	if err != nil {
		return nil, err
	}
	public, err := publicJWK(m.signer.Key())
	if err != nil {
		return nil, err
	}
	d.now = later(d.now, d.cfg.Now()) // making it may have taken long
	r := record{JWK: public}
	r.ID, r.Algorithm, r.State = m.signer.Key().ID, d.cfg.Algorithm, Pending
	r.CreatedAt, r.PublishedAt = d.instant(), d.instant()
	d.ring[r.ID] = m
	d.set.Keys = append(d.set.Keys, r)
	d.changed = true
	return &d.set.Keys[len(d.set.Keys)-1], nil
}

// activateAny makes a key active although none was published in time: the first key
// of all, or the one that stands in for a revoked key.
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

// activate makes r sign, in place of the key that does.
func (d *draft) activate(r *record, message string) {
	if active := d.set.in(Active); active != nil {
		d.retire(active)
	}
	r.State = Active
	r.ActivatedAt = later(d.instant(), r.PublishedAt)
	r.Lifetime = seconds(d.cfg.AccessLifetime)
	r.SignAfter = time.Time{}
	d.changed = true
	d.log(message, r)
}

// retire ends signing with r: its private half is erased, its public one stays until
// the last token has expired, anywhere, by anyone's clock.
func (d *draft) retire(r *record) {
	r.State = Retiring
	r.RetiringAt = later(d.instant(), r.ActivatedAt)
	lifetime := time.Duration(r.Lifetime) * time.Second
	r.KeepUntil = r.RetiringAt.Add(lifetime + d.cfg.Leeway + d.cfg.margin())
	r.Sealed = ""
	delete(d.ring, r.ID)
	d.changed = true
	d.log("key retiring", r)
}

// drop takes r out of the JWKS and keeps its history.
func (d *draft) drop(r *record, reason string) {
	r.State = Gone
	r.GoneAt = later(later(d.instant(), r.PublishedAt), later(r.ActivatedAt, r.RetiringAt))
	r.Reason = reason
	r.Sealed, r.JWK = "", nil
	r.SignAfter, r.KeepUntil = time.Time{}, time.Time{}
	delete(d.ring, r.ID)
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

// seconds rounds up, since it is a promise to outlast d.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

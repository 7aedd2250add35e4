package keys_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/internal/rounds"
	"issuer.example/jwt"
	"issuer.example/keys"
)

// world is one to three issuers on one real store, the JWKS documents in caches of services,
// and the tokens that were minted. All issuers have the same wall clock, which may be set
// back. Caches count the time that really passed.
type world struct {
	t        *testing.T
	store    *store
	cfg      keys.Config
	wall     *clock
	passed   time.Duration
	managers []*keys.Manager
	cached   []cachedJWKS
	tokens   []token
	// gone are the keys that were revoked, and hasty those that replaced a revoked key
	// without the wait: the guarantees are not about their tokens.
	gone, hasty map[string]bool
	version     uint64
}

type cachedJWKS struct {
	keys    *jwt.KeySet
	etag    string
	expires time.Duration // in time passed
}

type token struct {
	text, kid    string
	issued, ends time.Time
}

func TestPromises(t *testing.T) {
	rounds.Rapid(t, 15, 100)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		db := openBolt(t, filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", runs)))
		w := &world{t: t, store: &store{Store: db}, wall: newClock(), gone: map[string]bool{}, hasty: map[string]bool{}}
		w.cfg = config(t, w.store, w.wall)
		w.settings(rt)
		for range rapid.IntRange(1, 3).Draw(rt, "issuers") {
			w.managers = append(w.managers, open(t, w.cfg))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"step": func(rt *rapid.T) { step(t, w.manager(rt)) },
			// Drawn more often than the others: without time nothing happens.
			"pass": w.pass, "pass again": w.pass, "pass once more": w.pass,
			"mint": w.mint, "mint again": w.mint, "fetch": w.fetch, "fetch again": w.fetch,
			"rotate": w.rotate, "promote": w.promote, "revoke": w.revoke,
			"set the clock back": w.back, "deploy": w.deploy, "unsure": w.unsure,
			"": w.check,
		})
	})
}

func (w *world) manager(rt *rapid.T) *keys.Manager {
	return w.managers[rapid.IntRange(0, len(w.managers)-1).Draw(rt, "issuer")]
}

func (w *world) settings(rt *rapid.T) {
	w.cfg.RotateEvery = rapid.SampledFrom([]time.Duration{3 * time.Hour, 24 * time.Hour}).Draw(rt, "rotate_every")
	w.cfg.PublishBefore = rapid.SampledFrom([]time.Duration{10 * time.Minute, time.Hour}).Draw(rt, "publish_before")
	margin := min(w.cfg.PublishBefore/10, 2*time.Minute)
	w.cfg.MaxAge = rapid.SampledFrom([]time.Duration{0, w.cfg.PublishBefore - margin}).Draw(rt, "max-age")
	w.cfg.AccessLifetime = rapid.SampledFrom([]time.Duration{time.Minute, 5 * time.Minute, time.Hour}).Draw(rt, "lifetime")
	w.cfg.Algorithm = rapid.SampledFrom([]jwt.Algorithm{jwt.ES256, jwt.EdDSA}).Draw(rt, "algorithm")
}

func (w *world) rotate(rt *rapid.T) {
	if _, err := w.manager(rt).Rotate(context.Background(), ""); err != nil && !errors.Is(err, keys.ErrTooMany) {
		rt.Error(err)
	}
}

func (w *world) promote(rt *rapid.T) {
	m := w.manager(rt)
	list := m.List()
	k := list[rapid.IntRange(0, len(list)-1).Draw(rt, "key")]
	err := m.Promote(context.Background(), "", k.ID)
	for _, expected := range []error{keys.ErrTooEarly, keys.ErrRetired, keys.ErrNotFound} {
		if errors.Is(err, expected) {
			return
		}
	}
	if err != nil {
		rt.Error(err)
	}
}

func (w *world) revoke(rt *rapid.T) {
	m := w.manager(rt)
	list := m.List()
	k := list[rapid.IntRange(0, len(list)-1).Draw(rt, "key")]
	step(w.t, m)
	before := kidOf(w.t, m)
	if err := m.Revoke(context.Background(), "", k.ID, "drawn", noSessions); err != nil && !errors.Is(err, keys.ErrNotFound) {
		rt.Error(err)
	}
	w.gone[k.ID] = true
	if after := kidOf(w.t, m); after != before {
		w.hasty[after] = true
	}
	if _, ok := m.Key(k.ID); ok {
		rt.Error("the revoked key still verifies")
	}
}

func (w *world) mint(rt *rapid.T) {
	m := w.manager(rt)
	now := w.wall.Now()
	life := time.Duration(rapid.Int64Range(1, int64(w.cfg.AccessLifetime/time.Second)).Draw(rt, "life")) * time.Second
	text, err := m.Mint(claims(now, life))
	if err != nil {
		rt.Fatal(err)
	}
	if err := verify(text, m, w.wall); err != nil {
		rt.Fatal(err)
	}
	header, _, err := jwt.VerifySignature(text, m)
	if err != nil {
		rt.Fatal(err)
	}
	w.tokens = append(w.tokens, token{text: text, kid: header.KeyID, issued: now, ends: now.Add(life)})
}

func (w *world) fetch(rt *rapid.T) {
	doc := w.manager(rt).JWKS()
	w.cached = append(w.cached, cachedJWKS{keys: parseJWKS(w.t, doc), etag: doc.ETag, expires: w.passed + doc.MaxAge})
}

// pass lets time pass, without running the schedule.
func (w *world) pass(rt *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{
		time.Second, 30 * time.Second, 2 * time.Minute, 7 * time.Minute, 15 * time.Minute, w.cfg.PublishBefore, w.cfg.RotateEvery,
	}).Draw(rt, "for")
	w.passed += d
	w.wall.Add(d)
}

// back sets the wall clock back. The issuers read the store right after it, since this clock,
// unlike time.Now, has no monotonic reading that tells them the age of a snapshot. Tokens
// with an iat that is now in the future are refused everywhere.
func (w *world) back(rt *rapid.T) {
	w.wall.Add(-rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Minute, time.Hour}).Draw(rt, "by"))
	step(w.t, w.managers...)
	kept := w.tokens[:0]
	for _, token := range w.tokens {
		if !token.issued.After(w.wall.Now()) {
			kept = append(kept, token)
		}
	}
	w.tokens = kept
}

// deploy restarts every issuer with other settings.
func (w *world) deploy(rt *rapid.T) {
	w.settings(rt)
	for i := range w.managers {
		w.managers[i] = open(w.t, w.cfg)
	}
}

// unsure makes a change that is stored, but whose swap returns an error.
func (w *world) unsure(rt *rapid.T) {
	w.store.set(func(s *store) { s.unsure = 1 })
	if _, err := w.manager(rt).Rotate(context.Background(), ""); err != nil && !errors.Is(err, errStore) && !errors.Is(err, keys.ErrTooMany) {
		rt.Error(err)
	}
	w.store.set(func(s *store) { s.unsure = 0 })
}

func (w *world) check(rt *rapid.T) {
	if v := w.store.stored(w.t).Version; v < w.version {
		rt.Errorf("version %d follows %d", v, w.version)
	} else {
		w.version = v
	}
	for i, m := range w.managers {
		if n := len(in(m, keys.Active)); n != 1 {
			rt.Errorf("issuer %d knows %d active keys", i, n)
		}
		w.checkHistory(rt, m.List())
	}
	w.forgetExpired()
	for _, token := range w.tokens {
		if !w.gone[token.kid] && !w.hasty[token.kid] {
			w.checkToken(rt, token)
		}
	}
}

// checkHistory checks that every key was published long enough before it signed, except for
// the very first one and those that replaced a revoked key.
func (w *world) checkHistory(rt *rapid.T, list []keys.Key) {
	for _, k := range list {
		first := k.CreatedAt.Equal(start) && k.ActivatedAt.Equal(start)
		if k.ActivatedAt.IsZero() || first || w.hasty[k.ID] {
			continue
		}
		if published := k.ActivatedAt.Sub(k.PublishedAt); published < 10*time.Minute {
			rt.Errorf("a key signs %v after it was published: %+v", published, k)
		}
		if k.State == keys.Gone && !w.gone[k.ID] && k.GoneAt.Sub(k.RetiringAt) < time.Minute {
			rt.Errorf("a key left %v after it stopped to sign: %+v", k.GoneAt.Sub(k.RetiringAt), k)
		}
	}
}

// checkToken checks that the token's key is in every JWKS that a service may have cached.
// The id is the key's thumbprint, with which mint has verified the signature.
func (w *world) checkToken(rt *rapid.T, token token) {
	for i, cached := range w.cached {
		if _, ok := cached.keys.Key(token.kid); !ok {
			rt.Errorf("a good token is refused with cached JWKS %d (%s)", i, cached.etag)
		}
	}
	for i, m := range w.managers {
		if !bytes.Contains(m.JWKS().Body, []byte(token.kid)) && !w.stale(m) {
			rt.Errorf("a good token is refused with the JWKS of issuer %d", i)
		}
	}
}

// stale reports whether an issuer serves the JWKS with a max-age of 0.
func (w *world) stale(m *keys.Manager) bool { return m.JWKS().MaxAge == 0 }

func (w *world) forgetExpired() {
	cached := w.cached[:0]
	for _, c := range w.cached {
		if w.passed < c.expires {
			cached = append(cached, c)
		}
	}
	w.cached = cached
	tokens := w.tokens[:0]
	for _, token := range w.tokens {
		if w.wall.Now().Before(token.ends) {
			tokens = append(tokens, token)
		}
	}
	w.tokens = tokens
}

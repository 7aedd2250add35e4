package session

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// maxLeeway is the most that a verifier may allow for clocks that differ. What verifiers
// must know of a revocation is kept for them that much longer.
const maxLeeway = time.Minute

// Signer mints access tokens with the key that is active at the moment.
type Signer interface {
	Mint(claims *jwt.Claims) (string, error)
}

// Observer is told what happens, for metrics. Its methods must not block.
type Observer interface {
	// Minted is called for each new session.
	Minted()
	// Refreshed is called for each refresh that reached the store, with its [Outcome] or
	// the reason that its session had ended for.
	Refreshed(outcome string)
	// Ended is called when n sessions have ended, whatever ended them.
	Ended(reason Reason, n int)
}

// Config is what a [Service] is made of.
type Config struct {
	Store       legacyStore    // required
	IDs         *sid.Generator // required; it has observed the newest id in the store
	Signer      Signer         // required
	Keys        jwt.Keys       // required: the keys that our own access tokens are checked with
	RefreshKeys []RefreshKey   // required; the first seals, all open

	Issuer         string        // `iss`; required
	Audience       []string      // `aud` where a mint names none; required
	AccessLifetime time.Duration // required
	Leeway         time.Duration // for clocks that differ, when our own tokens come back; at most 60 s

	IdleTimeout     time.Duration // required
	AbsoluteTimeout time.Duration // required
	FreshAge        time.Duration // how long an authentication is fresh
	History         time.Duration // how long an ended session stays readable
	Refresh         RefreshPolicy
	MaxPerUser      int         // live sessions a user may have; 0 is no limit
	OnLimit         LimitPolicy // "" is LimitEvictOldest
	Binding         BindingPolicy

	// RevokeAllRequiresFresh asks a user who signs out everywhere for a fresh
	// authentication.
	RevokeAllRequiresFresh bool

	Observer Observer         // nil: none
	Logger   *slog.Logger     // nil: slog.Default
	Now      func() time.Time // nil: time.Now
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	cfg   Config
	ring  *keyring
	own   *jwt.Verifier // access tokens that are meant for the issuer itself
	any   *jwt.Verifier // access tokens for whatever audience
	sweep sweeper

	// issued is the latest time, in milliseconds, that a token was dated with. A clock that
	// steps back leaves it ahead, and what revokes those tokens must outlive them.
	issued atomic.Int64

	restored atomic.Bool // a refresh token was newer than the store
}

// New returns a service, or says what its configuration lacks.
func New(cfg Config) (*Service, error) {
	switch {
	case cfg.Store == nil, cfg.IDs == nil, cfg.Signer == nil, cfg.Keys == nil:
		return nil, errors.New("session: Store, IDs, Signer and Keys are required")
	case cfg.AccessLifetime <= 0, cfg.IdleTimeout <= 0, cfg.AbsoluteTimeout <= 0:
		return nil, errors.New("session: AccessLifetime, IdleTimeout and AbsoluteTimeout must be positive")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Observer == nil {
		cfg.Observer = noObserver{}
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	cfg.OnLimit = cmp.Or(cfg.OnLimit, LimitEvictOldest)
	ring, err := newKeyring(cfg.RefreshKeys)
	if err != nil {
		return nil, err
	}
	verifier := jwt.VerifierConfig{
		Issuer: cfg.Issuer, Audience: cfg.Audience, Keys: cfg.Keys, Leeway: cfg.Leeway, Now: cfg.Now,
	}
	own, err := jwt.NewVerifier(verifier)
	if err != nil {
		return nil, err
	}
	verifier.Audience, verifier.AnyAudience = nil, true
	anyone, err := jwt.NewVerifier(verifier)
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, ring: ring, own: own, any: anyone, sweep: newSweeper()}, nil
}

// FreshAge is how long an authentication is fresh: the `max_age` of a step-up challenge
// (RFC 9470 §3).
func (s *Service) FreshAge() time.Duration { return s.cfg.FreshAge }

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// view is the verdict on a snapshot: what ended the session first, if anything has.
func (s *Service) view(r Reader, snap Snapshot, now time.Time) (View, error) {
	v := s.unmarked(snap)
	if !snap.End.IsZero() {
		v.End = snap.End
		return v, nil
	}
	if !now.Before(v.IdleExpiresAt) {
		v.End = End{At: v.IdleExpiresAt, Reason: ReasonIdle}
		if !v.ExpiresAt.After(v.IdleExpiresAt) {
			v.End = End{At: v.ExpiresAt, Reason: ReasonExpired}
		}
	}
	for _, scope := range revocation.ScopesOf(v.User.ID, v.ClientID) {
		mark, ok, err := r.Mark(scope)
		if err != nil {
			return View{}, err
		}
		if ok && mark.Covers(v.ID) && (v.End.IsZero() || mark.At.Before(v.End.At)) {
			v.End = End{At: mark.At, Reason: Reason(mark.Reason)}
		}
	}
	return v, nil
}

// unmarked is what a snapshot says by itself.
func (s *Service) unmarked(snap Snapshot) View {
	v := View{Session: snap.Session, LastSeenAt: snap.State.LastSeenAt, LastIP: snap.State.LastIP}
	v.IdleExpiresAt = s.idleEnd(snap.Session, snap.State)
	return v
}

// idleEnd is when the session ends unless it is used: never after its absolute end.
func (s *Service) idleEnd(sess Session, st State) time.Time {
	end := st.LastSeenAt.Add(s.idleTimeout(sess))
	if end.After(sess.ExpiresAt) {
		return sess.ExpiresAt
	}
	return end
}

// load returns the verdict on one session.
func (s *Service) load(r Reader, id sid.ID, now time.Time) (Snapshot, View, error) {
	snap, err := r.Session(id)
	if err != nil {
		return Snapshot{}, View{}, err
	}
	v, err := s.view(r, snap, now)
	return snap, v, err
}

// loadOwn is load for a session of that user. [ErrNotFound] if it is another's.
func (s *Service) loadOwn(r Reader, userID string, id sid.ID, now time.Time) (View, error) {
	snap, err := r.UserSession(userID, id)
	if err != nil {
		return View{}, err
	}
	return s.view(r, snap, now)
}

// GetOwn returns one session of the holder's user, live or ended. [ErrNotFound] if it is not
// theirs.
func (s *Service) GetOwn(ctx context.Context, h Holder, id sid.ID) (View, error) {
	var v View
	err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
		v, err = s.loadOwn(r, h.View.User.ID, id, s.now())
		return err
	})
	return v, err
}

// Get returns one session, live or ended. [ErrNotFound] if there is none.
func (s *Service) Get(ctx context.Context, id sid.ID) (View, error) {
	var v View
	err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
		_, v, err = s.load(r, id, s.now())
		return err
	})
	return v, err
}

// HasClient reports whether a session that is not on record as ended was minted by that
// client. It reads them all, a few at a time.
func (s *Service) HasClient(ctx context.Context, clientID string) (bool, error) {
	var batch []Snapshot
	for after := (sid.ID{}); ; after = batch[len(batch)-1].Session.ID {
		err := s.cfg.Store.Update(ctx, func(tx Tx) (err error) {
			batch, err = tx.LiveAfter(after, clientBatch)
			return err
		})
		if err != nil {
			return false, err
		}
		for _, snap := range batch {
			if snap.Session.ClientID == clientID {
				return true, nil
			}
		}
		if len(batch) < clientBatch {
			return false, nil
		}
	}
}

// clientBatch bounds one transaction of HasClient, which requests wait behind.
const clientBatch = 256

type noObserver struct{}

func (noObserver) Minted()           {}
func (noObserver) Refreshed(string)  {}
func (noObserver) Ended(Reason, int) {}

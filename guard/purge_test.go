package guard_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// The entries that the guard has missed were purged. So the snapshot does not say which one
// came last, and the guard must forget which one it applied last: that is not the
// predecessor of what follows.
func TestPredecessorIsForgottenOverAPurgedGap(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	f := forger{t, iss, sid.NewGenerator(nil)}
	purged := f.ids.Next() // in entry 3, which the guard never sees
	var frames atomic.Pointer[string]
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		text := frames.Load()
		if text == nil || r.URL.Path != streamPath || r.Header.Get("Last-Event-ID") != "3" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(*text))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	g := iss.Guard(t, quiet)
	iss.RevokeUser("u8")
	iss.Await(t, g)
	iss.Down(true)
	iss.RevokeUser("u9")
	iss.RevokeUser("u9")
	iss.Purge()
	fourth := f.event(4, func(e *revocation.Event) { e.Prev = purged })
	text := f.alive(revocation.Alive{Seq: 3, Last: purged}) +
		f.revoked(4, iss.Sign(t, revocation.TypeEvent, must(fourth.Encode()))) +
		f.alive(revocation.Alive{Seq: 4, Last: fourth.Entry.SID})
	frames.Store(&text)
	iss.Down(false)
	guardtest.Until(t, func() bool { return g.Stats().Snapshots == 2 })
	guardtest.Until(t, func() bool {
		s := g.Stats()
		return s.Seq == 4 && s.Connected || errors.Is(s.Feed.Err, guard.ErrForked)
	})
	if s := g.Stats(); s.Seq != 4 || s.Snapshots != 2 {
		t.Errorf("seq %d, %d snapshots, %v", s.Seq, s.Snapshots, s.Feed.Err)
	}
}

// An alive tells a guard whose snapshot could not say it which entry is the last one. From
// then on another predecessor is another log.
func TestPredecessorIsLearnedFromAnAlive(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	f := forger{t, iss, sid.NewGenerator(nil)}
	iss.RevokeUser("u9")
	iss.Purge()
	text := f.alive(revocation.Alive{Seq: 1, Last: f.ids.Next()}) +
		f.frame(iss, revocation.TypeEvent, 2, func(e *revocation.Event) { e.Prev = f.ids.Next() })
	answer(iss, streamPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(text))
	})
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	guardtest.Until(t, func() bool { return g.Stats().Faults > 0 })
	if err := g.Stats().Feed.Err; !errors.Is(err, guard.ErrForked) {
		t.Errorf("%v, want ErrForked", err)
	}
	accepted(t, g, token)
	if s := g.Stats(); s.Revocations != 0 {
		t.Errorf("%d revocations of another log", s.Revocations)
	}
}

// The time that an alive was signed at counts, not the time of the newest event: events
// alone make no list fresh.
func TestEventsAloneMakeNothingFresh(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	iss.Await(t, g)
	for seq := uint64(1); seq <= 4; seq++ {
		c.Advance(10 * time.Second)
		iss.RevokeUser("u9")
		guardtest.Until(t, func() bool { return g.Stats().Seq == seq })
	}
	if !g.Stats().Stale {
		t.Error("fresh, and no alive came for 40 s")
	}
	refused(t, g, token, guard.ErrStale)
}

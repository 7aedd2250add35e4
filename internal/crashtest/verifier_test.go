//go:build linux

package crashtest_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/jwt"
)

// verifier is a guard that follows whichever issuer it is connected with, and that verifies
// an access token of a live session all the time.
type verifier struct {
	t      *testing.T
	guard  *guard.Guard
	faults *feedFaults
	done   chan struct{} // closed to stop
	work   sync.WaitGroup
}

// published is the issuer's URL in the configuration of the tests, which is the audience of
// its tokens too.
const published = "http://localhost:8080"

// startVerifier starts a verifier that reaches the issuers at base.
func startVerifier(t *testing.T, base string, issuer *api) *verifier {
	t.Helper()
	faults := &feedFaults{Handler: slog.DiscardHandler}
	g, err := guard.New(t.Context(), guard.Config{
		Issuer: published, BaseURL: base, Audience: []string{published}, ServiceKey: issuer.key, Name: "crashtest",
		MaxStaleness: 5 * time.Minute, CacheEntries: -1, Logger: slog.New(faults),
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := issuer.mint("verified")
	if r.status != http.StatusCreated {
		t.Fatalf("mint was answered %v", r)
	}
	v := &verifier{t: t, guard: g, faults: faults, done: make(chan struct{})}
	v.work.Go(func() { v.verifyAllTheTime(r.Access) })
	t.Cleanup(v.close)
	return v
}

func (v *verifier) close() {
	select {
	case <-v.done:
	default:
		close(v.done)
	}
	v.work.Wait()
	_ = v.guard.Close()
}

func (v *verifier) verifyAllTheTime(access string) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if _, err := v.guard.Verify(context.Background(), access); err != nil {
			v.t.Errorf("a token of a live session is refused: %v", err)
			return
		}
		select {
		case <-ticker.C:
		case <-v.done:
			return
		}
	}
}

// verify checks that the guard comes to refuse the sessions that ended and accepts those that
// live, and that the feed never lacked an entry or went back.
func (v *verifier) verify(f *fleet) {
	v.t.Helper()
	eventually(v.t, "the guard is connected", func() bool { return v.guard.Stats().Connected })
	for _, a := range f.actors {
		for _, u := range a.users {
			for _, h := range u.ended {
				if h.access != "" {
					eventually(v.t, "the guard refuses "+h.String(), func() bool { return errors.Is(v.accepts(h), guard.ErrRevoked) })
				}
			}
			for _, h := range u.holders() {
				if err := v.accepts(h); h.life == live && err != nil {
					f.fail("the guard refuses a live session: %v: %v", err, h)
				}
			}
		}
	}
	for _, err := range v.faults.seen() {
		f.fail("the guard was sent a wrong feed: %v", err)
	}
	if n := v.guard.Stats().Rollbacks; n > 0 {
		f.fail("the list of revocations went back %d times", n)
	}
	f.check()
}

func (v *verifier) accepts(h *tracked) error {
	_, err := v.guard.Verify(v.t.Context(), h.access)
	return err
}

// feedFaults is a log handler that keeps the faults of a feed that is wrong, and not only
// away.
type feedFaults struct {
	slog.Handler

	mu     sync.Mutex
	faults []error
}

func (l *feedFaults) Enabled(context.Context, slog.Level) bool { return true }

func (l *feedFaults) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && wrongFeed(err) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.faults = append(l.faults, err)
		}
		return true
	})
	return nil
}

func (l *feedFaults) seen() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faults
}

// wrongFeed reports whether an error says that what an issuer sent was wrong.
func wrongFeed(err error) bool {
	for _, wrong := range []error{
		guard.ErrGap, guard.ErrBackwards, guard.ErrForked, guard.ErrClock, guard.ErrSender, guard.ErrGone, guard.ErrFrame, guard.ErrKeys, jwt.ErrSignature,
	} {
		if errors.Is(err, wrong) {
			return true
		}
	}
	return false
}

//go:build linux

package crashtest_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// Faults, in the syntax of `strace -e inject=`.
const (
	syncFails  = "fdatasync,fsync:error=EIO"
	writeFails = "pwrite64:error=ENOSPC"
)

// The disk fails under load. Meanwhile every request that needs the store is answered 503.
// When the disk works again, the program recovers by itself, and nothing is lost, also not
// after a crash.
func TestDiskFailsStrace(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]string{"sync": syncFails, "write": writeFails} {
		t.Run(name, func(t *testing.T) {
			seed := seeded(t)
			f, s := newFleet(t, seed), newSite(t).startTraced(time.Minute)
			f.connect(s.api, time.Minute)
			v := newProbe(t, s.api)
			f.failures = true
			rest := f.background()
			f.serves(200)
			s.inject(fault)
			f.fails(1)
			eventually(t, "/readyz says so", s.api.unready)
			v.refused()
			s.endInjection()
			eventually(t, "the program recovers", s.api.ready)
			v.retried()
			f.serves(200)
			rest()
			s.verifyTwice(f)
		})
	}
}

// Some syncs and writes of each thread fail, so that some do while the program recovers.
func TestDiskFailsAgainAndAgainStrace(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]string{"sync": syncFails + ":when=5+12", "write": writeFails + ":when=5+20"} {
		t.Run(name, func(t *testing.T) {
			seed := seeded(t)
			f, s := newFleet(t, seed), newSite(t).startTraced(time.Minute)
			f.connect(s.api, time.Minute)
			f.failures = true
			rest := f.background()
			f.serves(200)
			s.inject(fault)
			for range 3 {
				f.fails(1)
				f.serves(1)
			}
			s.endInjection()
			eventually(t, "the program recovers", s.api.ready)
			f.serves(200)
			rest()
			s.verifyTwice(f)
		})
	}
}

// The program is killed while its disk fails.
func TestKillWhileDiskFailsStrace(t *testing.T) {
	t.Parallel()
	seed := seeded(t)
	f, s := newFleet(t, seed), newSite(t).startTraced(time.Minute)
	f.connect(s.api, time.Minute)
	f.failures, f.cuts = true, true
	rest := f.background()
	f.serves(200)
	s.inject(syncFails)
	f.fails(50)
	s.kill()
	rest()
	s.verifyAfter(f)
}

// verifyTwice checks the program that has recovered, and the next one, which opens the file
// after a kill.
func (s *traced) verifyTwice(f *fleet) {
	s.t.Helper()
	f.failures = false
	f.verify(false)
	s.kill()
	s.verifyAfter(f)
}

func (s *traced) verifyAfter(f *fleet) {
	s.t.Helper()
	f.failures, f.cuts = false, false
	s.start(time.Minute)
	f.connect(s.api, time.Minute)
	f.verify(true)
	s.stop()
}

// probe is a client that sends one request of each kind while the store fails.
type probe struct {
	t                 *testing.T
	api               *api
	kept, ended, mass reply // sessions
}

func newProbe(t *testing.T, api *api) *probe {
	t.Helper()
	v := &probe{t: t, api: api, kept: api.mint("kept"), ended: api.mint("ended"), mass: api.mint("mass")}
	for _, r := range []reply{v.kept, v.ended, v.mass} {
		if r.status != http.StatusCreated {
			t.Fatalf("mint was answered %v", r)
		}
	}
	return v
}

// refused checks the answers while the store fails.
func (v *probe) refused() {
	v.t.Helper()
	for what, r := range map[string]reply{
		"mint":        v.api.mint("late"),
		"refresh":     v.api.refresh(v.kept.Refresh),
		"revoke":      v.api.revoke(v.ended.Session.ID),
		"revoke user": v.api.revokeUser("mass"),
		"sign-out":    v.api.signOut(v.ended.Refresh),
		"list":        v.api.list("kept"),
		"show":        v.api.show(v.kept.Session.ID),
		"use":         v.api.current(v.kept.Access),
	} {
		v.wantUnavailable(what, r)
	}
	form := url.Values{"token": {v.kept.Access}}.Encode()
	if r := v.api.call("POST", "/oauth/introspect", v.api.key, form); r.status != http.StatusServiceUnavailable {
		v.t.Errorf("introspection was answered %v, want 503", r)
	}
	for _, path := range []string{"/healthz", "/.well-known/jwks.json"} {
		if r := v.api.call("GET", path, "", ""); r.status != http.StatusOK {
			v.t.Errorf("%s, which needs no store, was answered %v", path, r)
		}
	}
}

// retried checks that the same requests succeed afterwards.
func (v *probe) retried() {
	v.t.Helper()
	for what, is := range map[string]struct {
		reply
		want int
	}{
		"mint":        {v.api.mint("late"), http.StatusCreated},
		"refresh":     {v.api.refresh(v.kept.Refresh), http.StatusOK},
		"use":         {v.api.current(v.kept.Access), http.StatusOK},
		"revoke":      {v.api.revoke(v.ended.Session.ID), http.StatusNoContent},
		"revoke user": {v.api.revokeUser("mass"), http.StatusOK},
	} {
		if is.err != nil || is.status != is.want {
			v.t.Errorf("the retry of %s was answered %v, want %d", what, is.reply, is.want)
		}
	}
	for _, token := range []string{v.ended.Refresh, v.mass.Refresh} {
		if r := v.api.refresh(token); !r.is("session_revoked") {
			v.t.Errorf("a token of a session that was revoked is answered %v", r)
		}
	}
}

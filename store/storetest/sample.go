package storetest

import (
	"context"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

const (
	// history is how long an ended session is kept under [judge].
	history = 48 * time.Hour
	// tokenLife is for how long verifiers need a revocation.
	tokenLife = 10 * time.Minute
	// reserved is for how long after the latest time on record a token may be dated, as far
	// as a store knows.
	reserved = time.Minute
)

// start is when the tests begin, in the precision that is stored.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 7e6, time.UTC) }

// after is so many minutes after [start].
func after(minutes int) time.Time { return start().Add(time.Duration(minutes) * time.Minute) }

// small is a session with the required fields only. It is idle an hour after the start.
func small(user string) session.Snapshot {
	return session.Snapshot{
		Session: session.Session{
			User: session.User{ID: user}, ClientID: "app",
			CreatedAt: start(), AuthTime: start(), ExpiresAt: after(60 * 24 * 30), IdleTimeout: time.Hour,
		},
		State: session.State{State: refresh.State{RedeemedAt: start()}, LastSeenAt: start()},
	}
}

// full is a session with every field set. It expires an hour after the start.
func full(user string) session.Snapshot {
	return session.Snapshot{
		Session: session.Session{
			ClientID: "app with \"name\"",
			User:     session.User{ID: user, Email: "a@example.com", Name: "Ünï \u202ecode", Image: "https://example.com/i.png"},
			Claims:   json.RawMessage(`{"plan":"pro","n":[1,2]}`),
			Audience: []string{"https://a.example", "b"}, Scope: "read write", AMR: []string{"pwd", "otp"}, ACR: "urn:2", Label: "laptop",
			IP: netip.MustParseAddr("2001:db8::7"), UserAgent: "Browser/1.0 \x01 raw",
			CreatedAt: start(), AuthTime: start().Truncate(time.Second), ExpiresAt: after(60),
			IdleTimeout: 90*time.Second + time.Millisecond,
			Unclaimed:   true, Replaces: sid.Next(sid.ID{}, start()),
		},
		State: session.State{
			State: refresh.State{
				Generation: 1<<32 - 1, Branch: refresh.Branch{0: 1, 9: 2}, KeyID: 255, RedeemedAt: after(1),
				Apart: refresh.MaxGenerations,
			},
			RedeemedFrom: session.Device{IP: netip.MustParseAddr("2001:db8::8"), UserAgent: "Browser/2.0 \ufffd raw"},
			LastSeenAt:   after(2), LastFrom: session.Device{IP: netip.MustParseAddr("192.0.2.1"), UserAgent: "Another/1.0"},
			SeenBefore: after(1), WasDue: true,
			Reuse: session.Reuse{
				Generation: 1<<32 - 2, From: session.Device{IP: netip.MustParseAddr("192.0.2.2"), UserAgent: "A third"},
			},
		},
	}
}

// begun is [small] for a session that begins at that time.
func begun(user string, at time.Time) session.Snapshot {
	s := small(user)
	s.Session.CreatedAt, s.Session.AuthTime, s.Session.ExpiresAt = at, at, at.Add(30*24*time.Hour)
	s.State.RedeemedAt, s.State.LastSeenAt = at, at
	return s
}

// idleEnd is when a session ends unless it is used.
func idleEnd(s session.Snapshot) time.Time {
	end := s.State.LastSeenAt.Add(s.Session.IdleTimeout)
	if end.After(s.Session.ExpiresAt) {
		return s.Session.ExpiresAt
	}
	return end
}

// judge is the verdict of an issuer at that time.
func judge(now time.Time) session.Judge {
	return func(s session.Snapshot) session.Verdict {
		end, idle := s.End, idleEnd(s)
		if end.IsZero() {
			if !now.Before(idle) {
				end = session.End{At: idle, Reason: session.ReasonIdle}
				if !s.Session.ExpiresAt.After(idle) {
					end.Reason = session.ReasonExpired
				}
			}
			if covered(s) && (end.IsZero() || s.Mark.At.Before(end.At)) {
				end = session.End{At: s.Mark.At, Reason: session.Reason(s.Mark.Reason)}
			}
		}
		if end.IsZero() {
			return session.Verdict{Again: idle}
		}
		return session.Verdict{End: end, Again: end.At.Add(history)}
	}
}

// covered reports whether the session is under a mark.
func covered(s session.Snapshot) bool { return s.Mark.Scope.Kind != 0 }

// notice asks that verifiers know of a revocation at that time.
func notice(at time.Time) session.Notice { return session.Notice{Issued: at, Life: tokenLife} }

// failer is what the tests of testing and of rapid have in common.
type failer interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

var _ failer = testing.TB(nil)

// equal compares what a store returned with what is expected.
func equal(t failer, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return // most often, and much faster
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

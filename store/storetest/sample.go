package storetest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// start is when the tests begin, in the precision that is stored.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 7e6, time.UTC) }

// after is so many minutes later.
func after(minutes int) time.Time { return start().Add(time.Duration(minutes) * time.Minute) }

// id makes identifiers that grow with n.
func id(n uint32) sid.ID {
	var id sid.ID
	binary.BigEndian.PutUint64(id[:], uint64(n)<<16|0x7000)
	id[8] = 0x80
	return id
}

// small is a session with nothing that can be left out.
func small(id sid.ID, user string) session.Snapshot {
	return session.Snapshot{
		Session: session.Session{
			ID: id, User: session.User{ID: user}, ClientID: "app",
			CreatedAt: start(), AuthTime: start(), ExpiresAt: after(60 * 24 * 30), IdleTimeout: time.Hour,
		},
		State: session.State{RedeemedAt: start(), LastSeenAt: start()},
	}
}

// full is a session with everything in it.
func full(id sid.ID, user string) session.Snapshot {
	return session.Snapshot{
		Session: session.Session{
			ID: id, ClientID: "app with \"name\"",
			User:     session.User{ID: user, Email: "a@example.com", Name: "Ünï \u202ecode", Image: "https://example.com/i.png"},
			Claims:   json.RawMessage(`{"plan":"pro","n":[1,2]}`),
			Audience: []string{"https://a.example", "b"}, AMR: []string{"pwd", "otp"}, ACR: "urn:2", Label: "laptop",
			IP: netip.MustParseAddr("2001:db8::7"), UserAgent: "Browser/1.0 \x00 raw",
			CreatedAt: start(), AuthTime: start().Truncate(time.Second), ExpiresAt: after(60),
			IdleTimeout: 90*time.Second + time.Millisecond,
		},
		State: session.State{
			Generation: 1<<32 - 1, Branch: session.Branch{0: 1, 9: 2}, KeyID: 255,
			RedeemedAt: after(1), LastSeenAt: after(2), LastIP: netip.MustParseAddr("192.0.2.1"),
		},
	}
}

// failer is what the tests of testing and of rapid have in common.
type failer interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func (f *fixture) update(t failer, fn func(session.Tx) error) {
	t.Helper()
	if err := f.Update(t.Context(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func (f *fixture) view(t failer, fn func(session.Reader) error) {
	t.Helper()
	if err := f.View(t.Context(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

// create adds sessions, each due when it would be idle.
func (f *fixture) create(t failer, snaps ...session.Snapshot) {
	t.Helper()
	for _, s := range snaps {
		f.update(t, func(tx session.Tx) error { return create(tx, s) })
	}
}

func create(tx session.Tx, s session.Snapshot) error {
	return tx.Create(s.Session, s.State, s.State.LastSeenAt.Add(s.Session.IdleTimeout))
}

// load returns one session.
func (f *fixture) load(t failer, id sid.ID) session.Snapshot {
	t.Helper()
	var snap session.Snapshot
	f.view(t, func(r session.Reader) (err error) {
		snap, err = r.Session(id)
		return err
	})
	return snap
}

// want fails unless the store has just these sessions of one user.
func (f *fixture) want(t failer, user string, ended bool, want ...session.Snapshot) {
	t.Helper()
	var got []session.Snapshot
	f.view(t, func(r session.Reader) error {
		got = nil
		for snap, err := range r.UserSessions(user, ended) {
			if err != nil {
				return err
			}
			got = append(got, snap)
		}
		return nil
	})
	equal(t, "sessions of "+user, got, want)
}

// log returns the whole of the revocation log.
func (f *fixture) log(t failer) (entries []revocation.Entry, first uint64) {
	t.Helper()
	entries, first, err := f.Entries(t.Context(), 0, 1<<30)
	if err != nil {
		t.Fatalf("entries: %v", err)
	}
	return entries, first
}

// equal compares what a store gave with what it was given.
func equal(t failer, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return // most often, and much faster
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var _ failer = testing.TB(nil)

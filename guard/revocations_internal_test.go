package guard

import (
	"errors"
	"testing"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

const testIssuer = "https://id.example.com"

// A snapshot that ends before what was applied must be newer than every message accepted so
// far: than alives and snapshots too, and than one that came before an older one.
func TestOlderSnapshotAgainstEveryMessage(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	ids := sid.NewGenerator(nil)
	entry := revocation.Entry{Seq: 1, Scope: revocation.UserScope("u1"), SID: ids.Next(), At: start, Until: at(300)}
	for name, messages := range map[string][]func(r *revocations) error{
		"event":                    {applyEventOf(entry, at(20))},
		"snapshot":                 {applySnapshotOf(1, at(20))},
		"snapshot, alive":          {applySnapshotOf(1, at(0)), applyAliveOf(1, at(20))},
		"newer before older alive": {applySnapshotOf(1, at(0)), applyAliveOf(1, at(20)), applyAliveOf(1, at(5))},
	} {
		r := newRevocations(testIssuer, 30*time.Second)
		for _, apply := range messages {
			if err := apply(r); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, issued := range []time.Time{at(10), at(20)} {
			if err := applySnapshotOf(0, issued)(r); !errors.Is(err, ErrBackwards) {
				t.Errorf("%s: a snapshot from %s before: %v", name, at(20).Sub(issued), err)
			}
		}
		if applied, err := r.applySnapshot(revocation.Snapshot{Issuer: testIssuer, IssuedAt: at(21)}, at(21)); err != nil || !applied.rolledBack {
			t.Errorf("%s: a newer snapshot: %v", name, err)
		}
	}
}

func applyEventOf(e revocation.Entry, issued time.Time) func(r *revocations) error {
	return func(r *revocations) error {
		_, err := r.applyEvent(revocation.Event{Issuer: testIssuer, IssuedAt: issued, Entry: e}, r.seq)
		return err
	}
}

func applyAliveOf(seq uint64, issued time.Time) func(r *revocations) error {
	return func(r *revocations) error {
		_, err := r.applyAlive(revocation.Alive{Issuer: testIssuer, IssuedAt: issued, Seq: seq}, r.seq, issued)
		return err
	}
}

func applySnapshotOf(next uint64, issued time.Time) func(r *revocations) error {
	return func(r *revocations) error {
		_, err := r.applySnapshot(revocation.Snapshot{Issuer: testIssuer, IssuedAt: issued, Next: next}, issued)
		return err
	}
}

// Entries are dropped when an alive or a snapshot was issued more than two minutes after
// their end, and not before.
func TestEntriesAreDroppedByTheIssuersTime(t *testing.T) {
	end := time.Unix(1_700_000_000, 0)
	for name, apply := range map[string]func(issued time.Time) func(*revocations) error{
		"alive":    func(issued time.Time) func(*revocations) error { return applyAliveOf(0, issued) },
		"snapshot": func(issued time.Time) func(*revocations) error { return applySnapshotOf(0, issued) },
	} {
		r := newRevocations(testIssuer, 30*time.Second)
		r.set.Apply(revocation.Entry{Scope: revocation.UserScope("u1"), SID: sid.NewGenerator(nil).Next(), Until: end})
		for after, want := range map[time.Duration]int{-time.Hour: 1, 0: 1, 2 * time.Minute: 1} {
			if err := apply(end.Add(after))(r); err != nil || r.set.Len() != want {
				t.Errorf("%s, %s after the end: %d entries, %v", name, after, r.set.Len(), err)
			}
		}
		if err := apply(end.Add(2*time.Minute + time.Second))(r); err != nil || r.set.Len() != 0 {
			t.Errorf("%s, more than two minutes after the end: %d entries, %v", name, r.set.Len(), err)
		}
	}
}

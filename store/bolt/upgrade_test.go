package bolt_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/bbolt"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/store/bolt"
)

// schema1 is a file that the last version with schema 1 has written: sessions 1 to 6, of
// which 2 has ended; states of 1 and 3 in the journal; marks over user v (up to 5) and over
// client app; entries 2 and 3 of a log whose entry 1 was trimmed.
func schema1(t *testing.T) string {
	t.Helper()
	return unpack(t, "testdata/schema1.db.gz")
}

// schema2 is a file that the last version with schema 2 has written: four sessions of user u.
func schema2(t *testing.T) string {
	t.Helper()
	return unpack(t, "testdata/schema2.db.gz")
}

func unpack(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	content, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "issuer.db")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file of schema 1 opens, keeps all that it had, and stays what it has become.
func TestUpgrade(t *testing.T) {
	path := schema1(t)
	at := func(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }
	wantFacts := []fact.Fact{
		{
			Number: 1, Kind: fact.Marked, At: at(2), SID: id(5), Scope: revocation.UserScope("v"),
			What: "revoked_by_service", Revocation: 2, Until: at(8),
		},
		{
			Number: 2, Kind: fact.Marked, At: at(3), SID: id(6), Scope: revocation.ClientScope("app"),
			What: "because", Revocation: 3, Until: at(9),
		},
	}
	for opened := range 2 {
		db := start(t, bolt.Config{Path: path, Check: true})
		facts, first, err := db.Facts(t.Context(), 0, 10)
		if diff := cmp.Diff(wantFacts, facts); diff != "" || first != 1 || err != nil {
			t.Errorf("open %d: the facts begin with %d (%v), and differ:\n%s", opened, first, err, diff)
		}
		entries, first, err := db.Revocations(t.Context(), 0, 10)
		if err != nil || first != 2 || len(entries) != 2 || entries[0].Seq != 2 || entries[0].Scope != revocation.UserScope("v") {
			t.Errorf("open %d: the revocations begin with %d: %+v (%v)", opened, first, entries, err)
		}
		if db.Live() != 5 {
			t.Errorf("open %d: %d sessions, want 5", opened, db.Live())
		}
		for n, want := range map[int]uint32{1: 1, 2: 2, 3: 3, 4: 0} {
			if g, err := generation(t.Context(), db, n); g != want || err != nil {
				t.Errorf("open %d: session %d is at %d (%v), want %d", opened, n, g, err, want)
			}
		}
		snap, err := db.Load(t.Context(), session.Ref{ID: id(5), UserID: "v"})
		if err != nil || snap.Mark.Scope != revocation.UserScope("v") {
			t.Errorf("open %d: session 5 is %+v (%v), want it under the mark", opened, snap, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// The latest time on record is that of the third refresh; new numbers and identifiers
	// follow the old ones.
	db := start(t, bolt.Config{Path: path})
	marked, err := db.Mark(t.Context(), session.MarkRequest{
		Scope: revocation.EverythingScope(), At: at(1), Notice: session.Notice{Issued: at(1), Life: time.Minute},
	})
	if err != nil || marked.Mark.SID != id(6) || !marked.Mark.Until.Equal(at(4)) {
		t.Errorf("a mark is %+v (%v), want it up to session 6 and until %v", marked.Mark, err, at(4))
	}
	facts, _, err := db.Facts(t.Context(), 2, 10)
	if err != nil || len(facts) != 1 || facts[0].Number != 3 || facts[0].Revocation != 4 {
		t.Errorf("it is %+v (%v), want fact 3 and revocation 4", facts, err)
	}
}

// A log that cannot be read is not upgraded, and the file stays as it was.
func TestUpgradeRefusesDamage(t *testing.T) {
	path := schema1(t)
	err := edit(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("log")).Put([]byte{0, 0, 0, 0, 0, 0, 0, 4}, []byte("?"))
	})(t, path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := bolt.Open(t.Context(), bolt.Config{Path: path})
		if !errors.Is(err, bolt.ErrDamaged) || strings.Contains(err.Error(), "counters of") {
			t.Errorf("Open is %v, want %v for the log alone", err, bolt.ErrDamaged)
		}
	}
	err = edit(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte("facts")) != nil {
			t.Error("it has been upgraded in part")
		}
		return tx.Bucket([]byte("log")).Delete([]byte{0, 0, 0, 0, 0, 0, 0, 4})
	})(t, path)
	if err != nil {
		t.Fatal(err)
	}
	start(t, bolt.Config{Path: path})
}

// A file that the check refuses is not upgraded: the version before still opens it. The error
// says what is wrong, and nothing else.
func TestUpgradeAfterTheCheck(t *testing.T) {
	first := id(1)
	number := func(n byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, n} }
	for name, spoil := range map[string]func(tx *bbolt.Tx) error{
		"a record":    func(tx *bbolt.Tx) error { return tx.Bucket([]byte("sessions")).Put(first[:], []byte("?")) },
		"a mark":      func(tx *bbolt.Tx) error { return tx.Bucket([]byte("marks")).Put([]byte("\x02v"), []byte("?")) },
		"a log entry": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("log")).Put(number(3), []byte("?")) },
		"a gap": func(tx *bbolt.Tx) error {
			log := tx.Bucket([]byte("log"))
			return log.Put(number(9), log.Get(number(3)))
		},
	} {
		for verb, run := range map[string]func(path string) error{
			"open": func(path string) error {
				_, err := bolt.Open(t.Context(), bolt.Config{Path: path, Check: true, Logger: quiet()})
				return err
			},
			"compact": func(path string) error { return bolt.Compact(t.Context(), path) },
		} {
			t.Run(verb+" past "+name, func(t *testing.T) {
				path := schema1(t)
				if err := edit(spoil)(t, path); err != nil {
					t.Fatal(err)
				}
				if err := run(path); !errors.Is(err, bolt.ErrDamaged) || strings.Contains(err.Error(), "counters of") {
					t.Errorf("got %v, want %v", err, bolt.ErrDamaged)
				}
				err := edit(func(tx *bbolt.Tx) error {
					if tx.Bucket([]byte("facts")) != nil {
						t.Error("it has been upgraded")
					}
					return nil
				})(t, path)
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// A file of schema 2 opens, keeps all that it had, and its states become those of schema 3 when
// they change.
func TestUpgradeStates(t *testing.T) {
	at := func(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }
	from := func(ip string) session.Device { return session.Device{IP: netip.MustParseAddr(ip)} }
	redeemed := func(generation uint32, last byte, minute int) refresh.State {
		return refresh.State{Generation: generation, Branch: refresh.Branch{9: last}, KeyID: 7, RedeemedAt: at(minute)}
	}
	want := []session.State{ // newest first; nothing is known of browsers
		{State: redeemed(1, 3, 13), LastSeenAt: at(13)},
		{State: redeemed(3, 1, 10), RedeemedFrom: from("2001:db8::1"), LastSeenAt: at(20), LastFrom: from("2001:db8::1")},
		{State: refresh.State{RedeemedAt: at(1)}, RedeemedFrom: from("192.0.2.1"), LastSeenAt: at(1), LastFrom: from("192.0.2.1")},
	}
	ended := session.State{State: redeemed(5, 2, 11), RedeemedFrom: from("192.0.2.9"), LastSeenAt: at(11), LastFrom: from("192.0.2.9")}
	changed := session.State{
		State:        refresh.State{Generation: 9, RedeemedAt: at(30), Apart: 1},
		RedeemedFrom: session.Device{IP: netip.MustParseAddr("198.51.100.1"), UserAgent: "Browser/1.0"},
		LastSeenAt:   at(31), LastFrom: session.Device{UserAgent: "Another/1.0"}, SeenBefore: at(20),
	}
	path := schema2(t)
	for opened := range 3 {
		db := start(t, bolt.Config{Path: path, Check: true})
		live := list(t, db, session.Query{UserID: "u", Limit: 9})
		for n, snap := range live {
			if diff := cmp.Diff(want[n], snap.State, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("open %d: state %d differs:\n%s", opened, n, diff)
			}
		}
		over := list(t, db, session.Query{UserID: "u", Ended: true, Limit: 9})
		if len(live) != 3 || len(over) != 1 || over[0].State != ended || over[0].End.Reason != session.ReasonSignOut {
			t.Errorf("open %d: %d live, ended %+v", opened, len(live), over)
		}
		if opened == 1 {
			_, err := db.Change(t.Context(), session.Target{Ref: session.Ref{ID: live[1].Session.ID}},
				func(_, _ session.Snapshot) (session.Change, error) { return session.Change{State: &changed}, nil })
			if err != nil {
				t.Fatal(err)
			}
			want[1] = changed
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func list(t *testing.T, db *bolt.DB, q session.Query) []session.Snapshot {
	t.Helper()
	page, err := db.List(t.Context(), q)
	if err != nil || page.Unreadable > 0 {
		t.Fatalf("%d are unreadable, %v", page.Unreadable, err)
	}
	return page.Sessions
}

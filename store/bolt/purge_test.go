package bolt

import (
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/session"
	"issuer.example/sid"
)

// A purge leaves nothing of a session in any bucket, however it ended.
func TestPurgeLeavesNothing(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := sampleRecord()
	for n := range byte(2) {
		s.ID = sid.ID{15: n + 1}
		due := session.Due{At: s.CreatedAt.Add(time.Hour), ID: s.ID}
		for _, step := range []func(session.Tx) error{
			func(tx session.Tx) error { return tx.Create(s, session.State{}, due.At) },
			func(tx session.Tx) error {
				if n == 0 {
					return nil
				}
				return tx.End(s.ID, session.End{At: s.CreatedAt, Reason: session.ReasonSignOut})
			},
			func(tx session.Tx) error { return tx.Purge(due) },
		} {
			if err := db.Update(t.Context(), step); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = db.handle.Load().bolt.View(func(tx *bbolt.Tx) error {
		for b := range buckets {
			if n := tx.Bucket(b.name()).Stats().KeyN; n > 0 && b != meta {
				t.Errorf("%d keys are left in bucket %q", n, b.name())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

package bolt

import (
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/session"
)

// A purge leaves nothing of a session in any bucket, however it ended.
func TestPurgeLeavesNothing(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := sampleRecord().CreatedAt
	for _, end := range []*session.Ending{nil, {End: session.End{At: now, Reason: session.ReasonSignOut}}} {
		created, err := db.Create(t.Context(), session.CreateRequest{Session: sampleRecord()})
		if err != nil {
			t.Fatal(err)
		}
		ref := session.Ref{ID: created.Session.Session.ID}
		_, err = db.Change(t.Context(), session.Target{Ref: ref}, func(_, _ session.Snapshot) (session.Change, error) {
			return session.Change{End: end}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	swept, err := db.Sweep(t.Context(), session.SweepRequest{
		Now: now.Add(24 * time.Hour),
		Judge: func(session.Snapshot) session.Verdict {
			return session.Verdict{End: session.End{At: now, Reason: session.ReasonExpired}, Again: now}
		},
	})
	if err != nil || swept.Forgotten != 2 || swept.Ended != 1 {
		t.Errorf("swept %+v (%v), want 2 forgotten, of which 1 ended only now", swept, err)
	}
	err = db.handle.Load().bolt.View(func(tx *bbolt.Tx) error {
		for b := range buckets {
			if n := tx.Bucket(b.name()).Stats().KeyN; n > 0 && b != meta && b != facts {
				t.Errorf("%d keys are left in bucket %q", n, b.name())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

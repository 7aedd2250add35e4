package bolt_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/store/bolt"
)

// A damaged record or mark is an error to whoever needs it. The store goes on for all
// others: it does not fail for it, which would take it away from everyone.
func TestDamagedRecordIsItsOwn(t *testing.T) {
	path := filled(t)
	err := edit(func(tx *bbolt.Tx) error {
		victim := id(7)
		return errors.Join(
			tx.Bucket([]byte("sessions")).Put(victim[:], []byte("?")),
			tx.Bucket([]byte("marks")).Put([]byte("\x02u"), []byte("?")),
		)
	})(t, path)
	if err != nil {
		t.Fatal(err)
	}
	db := start(t, bolt.Config{Path: path})
	target := session.Target{Ref: session.Ref{ID: id(7)}}
	for name, use := range map[string]func(context.Context) error{
		"load": func(ctx context.Context) error { _, err := db.Load(ctx, target.Ref); return err },
		"change": func(ctx context.Context) error {
			_, err := db.Change(ctx, target, func(_, _ session.Snapshot) (session.Change, error) { return session.Change{}, nil })
			return err
		},
		"holder": func(ctx context.Context) error {
			_, err := db.Mark(ctx, session.MarkRequest{
				Scope: revocation.UserScope("u"), At: epoch, Judge: live, Holder: id(8), SpareHolder: true,
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := use(t.Context()); !errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("got %v, want %v", err, bolt.ErrDamaged)
			}
			if err := db.Healthy(); err != nil {
				t.Errorf("the store has failed: %v", err)
			}
			mustCreate(t, db, int(db.Live())+1, "v")
		})
	}
}

// live is the verdict that a session is live unless a mark covers it.
func live(snap session.Snapshot) session.Verdict {
	if !snap.Mark.SID.IsZero() {
		return session.Verdict{End: session.End{At: snap.Mark.At, Reason: session.Reason(snap.Mark.Reason)}, Again: epoch.Add(24 * time.Hour)}
	}
	return session.Verdict{Again: epoch.Add(48 * time.Hour)}
}

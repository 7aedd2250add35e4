package bolt_test

import (
	"errors"
	"testing"

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
	for name, fn := range map[string]func(session.Tx) error{
		"read":  func(tx session.Tx) error { _, err := tx.Session(id(7)); return err },
		"amend": func(tx session.Tx) error { return tx.Amend(sample(7, "u")) },
		"end":   func(tx session.Tx) error { return tx.End(id(7), session.End{At: epoch, Reason: session.ReasonSignOut}) },
		"purge": func(tx session.Tx) error { return tx.Purge(session.Due{At: epoch, ID: id(7)}) },
		"mark":  func(tx session.Tx) error { _, _, err := tx.Mark(revocation.UserScope("u")); return err },
		"revoke": func(tx session.Tx) error {
			return tx.Revoke(revocation.Entry{Scope: revocation.UserScope("u"), SID: id(50), At: epoch, Until: epoch})
		},
		"settle": func(tx session.Tx) error { return tx.Settle(revocation.Mark{Scope: revocation.UserScope("u")}) },
		"drop":   func(tx session.Tx) error { return tx.DropMark(revocation.Mark{Scope: revocation.UserScope("u")}) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := db.Update(t.Context(), fn); !errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("got %v, want %v", err, bolt.ErrDamaged)
			}
			if err := db.Healthy(); err != nil {
				t.Errorf("the store has failed: %v", err)
			}
			if err := advance(t.Context(), db, 8); err != nil {
				t.Error(err)
			}
		})
	}
}

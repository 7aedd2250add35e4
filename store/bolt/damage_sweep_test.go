package bolt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// damaged is a store in which the records of some sessions of user u cannot be read, and
// whose log and journal of facts begin with revocations that are over after an hour.
func damaged(t *testing.T, victims ...int) *bolt.DB {
	t.Helper()
	path := newPath(t)
	db := start(t, bolt.Config{Path: path})
	for n := 1; n <= 10; n++ {
		mustCreate(t, db, n, "u")
	}
	if err := end(t.Context(), db, 10, epoch, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	err := edit(func(tx *bbolt.Tx) (err error) {
		for _, n := range victims {
			victim := id(n)
			err = errors.Join(err, tx.Bucket([]byte("sessions")).Put(victim[:], []byte("?")))
		}
		return err
	})(t, path)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, bolt.Config{Path: path})
}

// Damaged records do not stop a mark, whatever it is over: it is set and counted without
// them, all other sessions get their ends, and log and facts are trimmed.
func TestSweepPastDamage(t *testing.T) {
	for name, scope := range map[string]revocation.Scope{
		"everything": revocation.EverythingScope(),
		"client":     revocation.ClientScope("web"),
		"user":       revocation.UserScope("u"),
	} {
		t.Run(name, func(t *testing.T) {
			db := damaged(t, 3, 7)
			marked, err := db.Mark(t.Context(), session.MarkRequest{
				Scope: scope, At: epoch, Reason: session.ReasonAdminRevoked, Judge: live,
				Notice: session.Notice{Issued: epoch, Life: time.Hour},
			})
			want := session.Marked{Mark: marked.Mark}
			if scope.Kind == revocation.KindUser {
				want.Ended, want.Unreadable = 7, 2
			}
			if err != nil || marked != want {
				t.Fatalf("marked %+v (%v), want %+v", marked, err, want)
			}
			if swept := sweep(t, db, epoch); swept.Ended != 7 || swept.Unreadable != 2 || db.Live() != 2 {
				t.Errorf("swept %+v, %d live: want 7 ended and 2 left", swept, db.Live())
			}
			if swept := sweep(t, db, epoch.Add(59*time.Second)); swept.Unreadable != 0 {
				t.Errorf("%d are tried again at once", swept.Unreadable)
			}
			if swept := sweep(t, db, epoch.Add(2*time.Hour)); swept.Unreadable < 2 {
				t.Errorf("%d are tried again after an hour, want 2", swept.Unreadable)
			}
			if got, want := numbers(t, db), [4]int{20, 0, 3, 0}; got != want {
				t.Errorf("facts and revocations are %v, want %v: all trimmed", got, want)
			}
			if snap, err := db.Load(t.Context(), session.Ref{ID: id(4)}); err != nil || snap.End.IsZero() {
				t.Errorf("session 4 is %+v (%v), want it ended", snap, err)
			}
			// The mark stays for those that could not be read.
			mustCreate(t, db, 11, "w")
			marked, err = db.Mark(t.Context(), session.MarkRequest{Scope: revocation.UserScope("w"), At: epoch, Judge: live})
			if err != nil || marked.Ended != 1 {
				t.Errorf("marking goes on with %+v (%v)", marked, err)
			}
			if swept := sweep(t, db, epoch.Add(3*time.Hour)); swept.Ended != 1 {
				t.Errorf("sweeping goes on with %+v", swept)
			}
		})
	}
}

// A mark that spares its holder revokes the newer sessions too that cannot be read: nobody
// else would tell verifiers of them.
func TestSparingMarkPastDamage(t *testing.T) {
	db := damaged(t, 3, 7)
	marked, err := db.Mark(t.Context(), session.MarkRequest{
		Scope: revocation.UserScope("u"), At: epoch, Reason: session.ReasonUserRevoked, Judge: live,
		Notice: session.Notice{Issued: epoch, Life: time.Hour}, Holder: id(5), SpareHolder: true,
	})
	if want := (session.Marked{Mark: marked.Mark, Ended: 6, Unreadable: 2}); err != nil || marked != want {
		t.Errorf("marked %+v (%v), want %+v", marked, err, want)
	}
	entries, _, err := db.Revocations(t.Context(), 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	revoked := make(map[sid.ID]bool)
	for _, e := range entries {
		if e.Scope.Kind == revocation.KindSession {
			revoked[e.SID] = true
		}
	}
	if want := map[sid.ID]bool{id(6): true, id(7): true, id(8): true, id(9): true}; !maps.Equal(revoked, want) {
		t.Errorf("revoked one by one: %v, want %v", revoked, want)
	}
	sweep(t, db, epoch)
	if db.Live() != 2 {
		t.Errorf("%d sessions are left, want the holder and the older one that cannot be read", db.Live())
	}
}

// A damaged session is due again after an hour, and those behind it are swept at once.
func TestDamagedSessionIsDueLater(t *testing.T) {
	db := damaged(t, 1)
	over := func(session.Snapshot) session.Verdict {
		return session.Verdict{End: session.End{At: epoch, Reason: session.ReasonIdle}, Again: epoch}
	}
	for _, step := range []struct{ minute, forgotten, unreadable int }{{10, 9, 1}, {69, 0, 0}, {70, 0, 1}} {
		swept, err := db.Sweep(t.Context(), session.SweepRequest{Now: epoch.Add(time.Duration(step.minute) * time.Minute), Judge: over})
		if err != nil || swept.Forgotten != step.forgotten || swept.Unreadable != step.unreadable {
			t.Errorf("minute %d: %+v (%v), want %+v", step.minute, swept, err, step)
		}
	}
}

// A user signs in however many of their records are damaged.
func TestSignInPastDamage(t *testing.T) {
	db := damaged(t, 3, 4, 5)
	created, err := db.Create(t.Context(), session.CreateRequest{
		Session: sample(0, "u"), State: session.State{LastSeenAt: epoch},
		Admission: session.Admission{
			At: time.Now(), Limit: session.Limit{Max: 6, Policy: session.LimitEvictOldest, Judge: live},
		},
	})
	if err != nil || len(created.Evicted) != 1 || created.Evicted[0].Session.ID != id(1) {
		t.Errorf("got %+v (%v), want session 1 evicted: six live ones can be read", created, err)
	}
}

// Facts and entries of the index that are damaged go with those that follow them.
func TestTrimPastDamage(t *testing.T) {
	number := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	for name, spoil := range map[string]func(tx *bbolt.Tx) error{
		"a chunk": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("facts")).Put(number(1), []byte("?")) },
		"all of a chunk": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("facts")).Put(number(1), bytes.Repeat([]byte{0xff}, 40))
		},
		"its content": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("facts")).Put(number(11), append(make([]byte, 12), 9))
		},
		"the index": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("log")).Put(number(1), []byte("?")) },
	} {
		t.Run(name, func(t *testing.T) {
			db := damaged(t)
			if err := end(t.Context(), db, 9, epoch, time.Hour); err != nil { // the one that follows
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := edit(spoil)(t, db.Path()); err != nil {
				t.Fatal(err)
			}
			db = start(t, bolt.Config{Path: db.Path()})
			sweep(t, db, epoch.Add(3*time.Hour))
			if got, want := numbers(t, db), [4]int{13, 0, 3, 0}; got != want {
				t.Errorf("facts and revocations are %v, want %v", got, want)
			}
		})
	}
}

// Damaged facts are left out of the journal, and those that follow are read.
func TestReadPastDamagedFacts(t *testing.T) {
	db := damaged(t)
	before, _, err := db.Facts(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	spoil := func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("facts")).Put(binary.BigEndian.AppendUint64(nil, 1), []byte("?"))
	}
	if err := edit(spoil)(t, db.Path()); err != nil {
		t.Fatal(err)
	}
	db = start(t, bolt.Config{Path: db.Path()})
	after, first, err := db.Facts(t.Context(), 0, 100)
	if err != nil || first != 1 {
		t.Fatalf("first %d, %v", first, err)
	}
	if n := len(before); len(after) == 0 || len(after) >= n || after[len(after)-1] != before[n-1] {
		t.Errorf("%d facts are read after the damage, of %d", len(after), n)
	}
}

// The newest revocation goes too when it is damaged, once its fact is too old to be kept. Until
// then no revocation can be read.
func TestTrimDamagedNewest(t *testing.T) {
	for name, spoil := range map[string]func(tx *bbolt.Tx) error{
		"its fact": func(tx *bbolt.Tx) error {
			facts := tx.Bucket([]byte("facts"))
			last, chunk := facts.Cursor().Last()
			return facts.Put(bytes.Clone(last), append(bytes.Clone(chunk[:12]), 9))
		},
		"its entry": func(tx *bbolt.Tx) error {
			log := tx.Bucket([]byte("log"))
			last, _ := log.Cursor().Last()
			return log.Put(bytes.Clone(last), []byte("?"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := damaged(t)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := edit(spoil)(t, db.Path()); err != nil {
				t.Fatal(err)
			}
			db = start(t, bolt.Config{Path: db.Path()})
			sweep(t, db, epoch) // nothing is over
			if _, _, err := db.Revocations(t.Context(), 0, 10); !errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("the revocations: %v, want %v", err, bolt.ErrDamaged)
			}
			sweep(t, db, epoch.Add(3*time.Hour)) // trims the facts
			sweep(t, db, epoch.Add(3*time.Hour))
			list, _, err := db.Revocations(t.Context(), 0, 10)
			if err != nil || len(list) != 0 {
				t.Errorf("the revocations: %+v (%v), want none", list, err)
			}
		})
	}
}

// A damaged mark is an error to the sessions under it. It does not stop the others, nor its
// own replacement.
func TestDamagedMark(t *testing.T) {
	db := damaged(t)
	mark := func(scope revocation.Scope) (session.Marked, error) {
		return db.Mark(t.Context(), session.MarkRequest{Scope: scope, At: epoch, Judge: live, Reason: session.ReasonAdminRevoked})
	}
	if _, err := mark(revocation.UserScope("u")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	err := edit(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("marks")).Put([]byte("\x02u"), []byte("?")) })(t, db.Path())
	if err != nil {
		t.Fatal(err)
	}
	db = start(t, bolt.Config{Path: db.Path()})
	if _, err := db.Load(t.Context(), session.Ref{ID: id(1)}); !errors.Is(err, bolt.ErrDamaged) {
		t.Errorf("a session under it is %v, want %v", err, bolt.ErrDamaged)
	}
	mustCreate(t, db, 20, "w")
	if _, err := mark(revocation.UserScope("w")); err != nil {
		t.Fatal(err)
	}
	if swept := sweep(t, db, epoch); swept.Ended != 1 || swept.Unreadable != 1 {
		t.Errorf("swept %+v, want another user's session ended and the mark counted", swept)
	}
	marked, err := mark(revocation.UserScope("u"))
	if err != nil || marked.Unreadable != 9 {
		t.Errorf("marked again: %+v (%v), want 9 unreadable under the damaged mark", marked, err)
	}
	if swept := sweep(t, db, epoch.Add(time.Hour)); swept.Ended != 9 {
		t.Errorf("swept %+v, want the 9 ended", swept)
	}
	sweep(t, db, epoch.Add(25*time.Hour))
	reopen(t, db) // nothing is to be done with a mark that is not there
}

// A session that could not be read while the mark over it was settled is under the mark still
// when it can be read again, however much later.
func TestMarkOutlastsDamage(t *testing.T) {
	db := damaged(t)
	victim := id(3)
	sessions := func(db *bolt.DB, fn func(b *bbolt.Bucket) error) *bolt.DB {
		t.Helper()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := edit(func(tx *bbolt.Tx) error { return fn(tx.Bucket([]byte("sessions"))) })(t, db.Path()); err != nil {
			t.Fatal(err)
		}
		return start(t, bolt.Config{Path: db.Path()})
	}
	var record []byte
	db = sessions(db, func(b *bbolt.Bucket) error {
		record = bytes.Clone(b.Get(victim[:]))
		return b.Put(victim[:], []byte("?"))
	})
	_, err := db.Mark(t.Context(), session.MarkRequest{
		Scope: revocation.EverythingScope(), At: epoch, Reason: session.ReasonAdminRevoked,
		Notice: session.Notice{Issued: epoch, Life: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	for hour := range 5 {
		sweep(t, db, epoch.Add(time.Duration(hour)*time.Hour))
	}
	db = sessions(db, func(b *bbolt.Bucket) error { return b.Put(victim[:], record) })
	snap, err := db.Load(t.Context(), session.Ref{ID: victim})
	if err != nil || snap.Mark.Scope != revocation.EverythingScope() {
		t.Errorf("it is %+v (%v), want it under the mark", snap, err)
	}
	if swept := sweep(t, db, epoch.Add(6*time.Hour)); swept.Ended != 1 {
		t.Errorf("swept %+v, want its end recorded", swept)
	}
}

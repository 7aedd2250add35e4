package postgres

import (
	"sync"
	"testing"
	"time"

	"issuer.example/revocation"
	"issuer.example/session"
)

// The clock of an issuer is on record up to a minute ahead, and is written once a minute at most.
func TestReserve(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t)})
	var wg sync.WaitGroup
	for n := range 32 {
		wg.Go(func() {
			if err := db.reserve(t.Context(), begin(), begin().Add(time.Duration(n)*time.Millisecond), time.Time{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var latest time.Time
	if err := db.pool.QueryRow(t.Context(), latestClocks).Scan(&latest); err != nil {
		t.Fatal(err)
	}
	if latest.Before(begin().Add(ahead)) || latest.After(begin().Add(ahead+31*time.Millisecond)) {
		t.Errorf("%v is on record", latest)
	}
	if n := count(t, db, "SELECT n_tup_ins + n_tup_upd FROM pg_stat_xact_all_tables WHERE relname = 'issuer_clocks'"); n > 1 {
		t.Errorf("it was written %d times", n)
	}
	other := openAt(t, Config{DSN: db.cfg.DSN})
	if err := other.reserve(t.Context(), begin().Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "SELECT count(*) FROM issuer_clocks"); n != 1 {
		t.Errorf("%d clocks are on record; one is a day old", n)
	}
}

// An issuer whose clock is ahead dates tokens without a write. What another one ends is kept for verifiers until these
// have expired.
func TestEndsCoverOtherIssuers(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	here, other := openAt(t, Config{DSN: dsn}), openAt(t, Config{DSN: dsn})
	first := mustCreate(t, here, signIn("u1", 0))
	notice := session.Notice{Issued: begin(), Life: time.Minute}
	dated := begin().Add(5 * time.Minute)
	if _, err := other.Sweep(t.Context(), session.SweepRequest{Now: dated, Issued: dated, Judge: verdict(begin())}); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Sweep(t.Context(), session.SweepRequest{Now: begin(), Issued: begin(), Judge: verdict(begin())}); err != nil {
		t.Fatal(err)
	}
	for what, end := range map[string]func() error{
		"an end": func() error {
			_, err := here.Change(t.Context(), session.Target{Ref: session.Ref{ID: first}}, func(session.Snapshot, session.Snapshot) (session.Change, error) {
				return session.Change{End: &session.Ending{End: session.End{At: begin(), Reason: session.ReasonSignOut}, Notice: notice}}, nil
			})
			return err
		},
		"an eviction": func() error {
			mustCreate(t, here, signIn("u2", 0))
			mustCreate(t, here, signIn("u2", 1))
			return nil
		},
		"a session that is not spared": func() error {
			holder := mustCreate(t, here, signIn("u3", 0))
			mustCreate(t, here, signIn("u3", 0))
			m := over(revocation.UserScope("u3"), begin())
			m.Holder, m.SpareHolder = holder, true
			mustMark(t, here, m)
			return nil
		},
	} {
		before, err := here.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		facts, _, err := here.Facts(t.Context(), before, 10)
		if err != nil {
			t.Fatal(err)
		}
		revocations := 0
		for _, f := range facts {
			if f.Revocation == 0 {
				continue
			}
			if revocations++; f.Until.Before(dated.Add(notice.Life)) {
				t.Errorf("%s is kept until %v, and a token expires at %v", what, f.Until, dated.Add(notice.Life))
			}
		}
		if revocations == 0 {
			t.Errorf("%s revokes nothing: %v", what, facts)
		}
	}
}

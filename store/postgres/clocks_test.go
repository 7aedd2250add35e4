package postgres

import (
	"sync"
	"testing"
	"time"
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

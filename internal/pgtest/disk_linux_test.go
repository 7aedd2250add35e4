package pgtest_test

import (
	"testing"

	"issuer.example/internal/pgtest"
)

func TestSmallDisk(t *testing.T) {
	if !pgtest.CanMount(t) {
		return
	}
	s := pgtest.StartOnSmallDisk(t, 96, nil)
	s.Exec(t, "postgres", "CREATE TABLE kept (n int)")
	s.FillDisk(t)
	const fill = "INSERT INTO kept SELECT generate_series(1, 100000)"
	if _, err := pgtest.SQL(t.Context(), s.DSN("postgres"), fill); err == nil {
		t.Error("there is room on a full disk")
	}
	s.FreeDisk(t)
	s.Exec(t, "postgres", fill)
}

package rounds_test

import (
	"testing"

	"issuer.example/internal/rounds"
)

func TestRounds(t *testing.T) {
	for _, c := range []struct {
		ci, full string
		want     int
	}{
		{"", "", 3},
		{"true", "", 100},
		{"", "1", 100},
		{"true", "1", 100},
		{"false", "0", 3},
	} {
		t.Setenv("CI", c.ci)
		t.Setenv("ISSUER_TEST_FULL", c.full)
		if got := rounds.Rounds(t, 3, 100); got != c.want {
			t.Errorf("CI=%q ISSUER_TEST_FULL=%q: %d rounds, want %d", c.ci, c.full, got, c.want)
		}
	}
}

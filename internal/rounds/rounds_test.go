package rounds_test

import (
	"flag"
	"os"
	"testing"

	"pgregory.net/rapid"

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

func TestRapid(t *testing.T) {
	for full, want := range map[string]int{"": 3, "1": 150} {
		t.Setenv("ISSUER_TEST_FULL", full)
		t.Setenv("CI", "")
		t.Run("full="+full, func(t *testing.T) {
			cases := 0
			rounds.Rapid(t, 3, 150)
			rapid.Check(t, func(*rapid.T) { cases++ })
			if cases != want {
				t.Errorf("%d cases, want %d", cases, want)
			}
		})
	}
	cases := 0
	rapid.Check(t, func(*rapid.T) { cases++ })
	if cases != 100 {
		t.Errorf("%d cases in the next test, want rapid's own 100", cases)
	}
}

// A full run stays on the disk, and so does a run whose environment names a folder.
func TestTempInMemory(t *testing.T) {
	for _, c := range []struct{ ci, folder string }{{"true", ""}, {"", "/elsewhere"}} {
		t.Setenv("CI", c.ci)
		t.Setenv("ISSUER_TEST_FULL", "")
		t.Setenv("TMPDIR", c.folder)
		rounds.TempInMemory()
		if got := os.Getenv("TMPDIR"); got != c.folder {
			t.Errorf("CI=%q: TMPDIR is %q, want %q", c.ci, got, c.folder)
		}
	}
}

// A full run has as many parallel tests as go test says.
func TestParallel(t *testing.T) {
	t.Setenv("CI", "true")
	before := flag.Lookup("test.parallel").Value.String()
	rounds.Parallel(1000)
	if got := flag.Lookup("test.parallel").Value.String(); got != before {
		t.Errorf("%s tests at once, want %s", got, before)
	}
}

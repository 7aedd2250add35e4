package rounds

import (
	"flag"
	"strconv"
	"testing"
)

// Rapid sets how many random cases rapid.Check tries in this test: [Rounds] of quick and
// full. A number on the command line, as -rapid.checks=1000, has precedence. The setting
// is one for the process and is restored when the test ends, so t must not be parallel to
// other property tests.
func Rapid(t testing.TB, quick, full int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks == nil {
		t.Fatal("the test does not import pgregory.net/rapid")
	}
	before := checks.Value.String()
	if before != checks.DefValue {
		return
	}
	if err := checks.Value.Set(strconv.Itoa(Rounds(t, quick, full))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checks.Value.Set(before); err != nil {
			t.Error(err)
		}
	})
}

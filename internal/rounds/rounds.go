// Package rounds says how long the long tests run: a quick run on a developer's machine,
// the full one in CI.
//
// A test that repeats random or concurrent work takes its number of repetitions from
// [Rounds], so that `go test ./...` stays quick without a flag. CI=true or
// ISSUER_TEST_FULL=1 in the environment asks for the full number.
package rounds

import (
	"os"
	"testing"
)

// Full reports whether the environment asks for the full run: CI=true or ISSUER_TEST_FULL=1.
func Full() bool {
	return os.Getenv("CI") == "true" || os.Getenv("ISSUER_TEST_FULL") == "1"
}

// Rounds returns full when the environment has CI=true or ISSUER_TEST_FULL=1, and quick
// otherwise. It logs a reduced number, which `go test -v` and a failing test show.
func Rounds(t testing.TB, quick, full int) int {
	t.Helper()
	if Full() {
		return full
	}
	t.Logf("%d rounds of %d: set ISSUER_TEST_FULL=1 to run all", quick, full)
	return quick
}

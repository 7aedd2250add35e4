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
func Full() bool { return os.Getenv("CI") == "true" && os.Getenv(quick) != "1" || Longest() }

// quick is set by [QuickInCI].
const quick = "ISSUER_TEST_QUICK"

// Longest reports whether the environment asks for what takes too long for CI: ISSUER_TEST_FULL=1.
func Longest() bool { return os.Getenv("ISSUER_TEST_FULL") == "1" }

// Soak is [Rounds] for a test whose full number takes too long for CI: ISSUER_TEST_FULL=1 alone asks for it, as
// `make soak` does.
func Soak(t testing.TB, few, full int) int {
	t.Helper()
	if Longest() {
		return full
	}
	t.Logf("%d rounds of %d: set ISSUER_TEST_FULL=1 to run all", few, full)
	return few
}

// QuickInCI makes a run in CI a quick one, for packages whose full rounds take too long there: ISSUER_TEST_FULL=1 alone
// asks for those. Call it from TestMain, before the tests.
func QuickInCI() {
	_ = os.Setenv(quick, "1") // fails for no name of this form
}

// Rounds returns full when the environment has CI=true or ISSUER_TEST_FULL=1, and few
// otherwise. It logs a reduced number, which `go test -v` and a failing test show.
func Rounds(t testing.TB, few, full int) int {
	t.Helper()
	if Full() {
		return full
	}
	t.Logf("%d rounds of %d: set ISSUER_TEST_FULL=1 to run all", few, full)
	return few
}

package pgtest

import (
	"fmt"
	"os"
	"testing"
)

// Main is the TestMain of a package whose tests all need PostgreSQL. On a machine without it they are left out, which
// is said; with CI=true that is a failure.
func Main(m *testing.M) {
	if _, err := findBinaries(); err != nil {
		fmt.Fprintf(os.Stderr, "pgtest: %v: the tests of this package are left out\n", err)
		if os.Getenv("CI") == "true" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

package bolt_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"

	"issuer.example/store/bolt"
)

// The version of bbolt that locks.go was written for. When it changes, read in its db.go
// which locks beginTx and beginRWTx hold while they read the headers (Tx.init), run the
// tests of files that are cut, and name the new version here.
const knownBbolt = "v1.5.0"

func TestLocksOfBbolt(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "go.etcd.io/bbolt").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != knownBbolt {
		t.Errorf("bbolt is %s, and locks.go was written for %s", got, knownBbolt)
	}
	if !start(t, bolt.Config{Path: newPath(t)}).KnowsLocks() {
		t.Error("its locks are not where they were")
	}
}

// With a bbolt whose locks are unknown, a file that was cut is let go all the same, and the
// store comes back.
func TestFileCutWithUnknownLocks(t *testing.T) {
	for name, touch := range map[string]func(*testing.T, *bolt.DB) error{
		"reader": func(t *testing.T, db *bolt.DB) error { _, err := generation(t.Context(), db, 1); return err },
		"writer": func(t *testing.T, db *bolt.DB) error { return advance(t.Context(), db, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, path, content := whole(t, 20)
				remember := bolt.ForgetLocks()
				defer remember()
				if err := os.Truncate(path, 0); err != nil {
					t.Fatal(err)
				}
				refused(t, touch(t, db))
				becomes(t, "it says why", func() bool { return db.Healthy() != nil })
				if err := overwrite(path, 0, content); err != nil {
					t.Fatal(err)
				}
				back(t, db, 20)
			})
		})
	}
}

// Package storetest holds the conformance suite of stores. [Run] is the entry point: each
// back end passes all of it, and there is no way to leave a part out.
//
// It asks for what the interfaces of package store say and no more: what is missing, over,
// repeated or concurrent, what a process that closes the store finds again and one that
// dies without, and the invariants of refreshing through the service that relies on it.
package storetest

import (
	"os"
	"path/filepath"
	"testing"

	"issuer.example/store"
)

// Open opens the store at a path, or makes it where there is none. The path is in a folder
// of its own: a copy of all files in it, made while nothing is being written, is what a
// process that dies leaves behind.
type Open func(t testing.TB, path string) store.Backend

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Open){
		"Create":           testCreate,
		"CreateRefused":    testCreateRefused,
		"Missing":          testMissing,
		"Amend":            testAmend,
		"SetState":         testSetState,
		"End":              testEnd,
		"UserSession":      testUserSession,
		"UserSessions":     testUserSessions,
		"OwnWrites":        testOwnWrites,
		"ErrorNoTrace":     testErrorNoTrace,
		"Context":          testContext,
		"Closed":           testClosed,
		"MarksRise":        testMarksRise,
		"SettleAndDrop":    testSettleAndDrop,
		"Log":              testLog,
		"TrimLog":          testTrimLog,
		"Watch":            testWatch,
		"Due":              testDue,
		"Purge":            testPurge,
		"LiveAfter":        testLiveAfter,
		"Keys":             testKeys,
		"KeysRace":         testKeysRace,
		"Reopened":         testReopened,
		"Crashed":          testCrashed,
		"RestartedOften":   testRestartedOften,
		"CrashedUnderLoad": testCrashedUnderLoad,
		"Serialisable":     testSerialisable,
		"Snapshot":         testSnapshot,
		"LiveExact":        testLiveExact,
		"LogOrder":         testLogOrder,
		"Linearizable":     testLinearizable,
		"Model":            testModel,
		"Protocol":         RunProtocol,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// fixture is an open store.
type fixture struct {
	store.Backend

	t    testing.TB
	open Open
	path string
}

func newFixture(t testing.TB, open Open) *fixture {
	t.Helper()
	f := &fixture{t: t, open: open, path: filepath.Join(t.TempDir(), "store.db")}
	f.Backend = open(t, f.path)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// reopen closes the store and opens it again.
func (f *fixture) reopen() {
	f.t.Helper()
	if err := f.Close(); err != nil {
		f.t.Fatalf("close: %v", err)
	}
	f.Backend = f.open(f.t, f.path)
}

// crash goes on with what the process would leave behind if it died now. Nothing may be
// being written.
func (f *fixture) crash() {
	f.t.Helper()
	left := f.t.TempDir()
	if err := os.CopyFS(left, os.DirFS(filepath.Dir(f.path))); err != nil {
		f.t.Fatalf("copying the store: %v", err)
	}
	private(f.t, left)
	if err := f.Close(); err != nil {
		f.t.Fatalf("close: %v", err)
	}
	f.path = filepath.Join(left, filepath.Base(f.path))
	f.Backend = f.open(f.t, f.path)
}

// private makes the copies as private as the files were, which os.CopyFS does not.
func private(t testing.TB, folder string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Chmod(filepath.Join(folder, file.Name()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

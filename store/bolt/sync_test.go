package bolt_test

import (
	"context"
	"encoding/hex"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"issuer.example/store/bolt"
)

const newFileEnv = "ISSUER_TEST_NEW_FILE"

// newFile is a helper process: it makes a data file, and compacts it.
func newFile(path string) error {
	ctx := context.Background()
	db, err := bolt.Open(ctx, bolt.Config{Path: path, Logger: quiet()})
	if err != nil {
		return err
	}
	return errors.Join(create(ctx, db, 1, "u"), db.Close(), bolt.Compact(ctx, path))
}

// A file that appears under its name is durable: it was synced after the last write to it
// and before it got its name, and the folder was synced afterwards.
func TestNewFileIsDurableStrace(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	quoted := regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	unsynced := map[string]bool{} // files with writes since their last sync
	opened := map[string]string{} // path of a descriptor
	named := map[string]bool{}    // temporary names that were given up for the real one
	folderSynced := false
	for line := range straced(t, newFileEnv+"="+path, "trace=openat,pwrite64,fsync,fdatasync,renameat") {
		call, args, _ := strings.Cut(line, "(")
		fd, _, _ := strings.Cut(strings.TrimRight(args, ") ="), ",")
		fd, _, _ = strings.Cut(fd, ")")
		var names []string
		if call == "openat" || call == "renameat" {
			for _, m := range quoted.FindAllStringSubmatch(args, 2) {
				name, err := hex.DecodeString(strings.ReplaceAll(m[1], `\x`, ""))
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, string(name))
			}
		}
		switch call {
		case "openat":
			opened[line[strings.LastIndex(line, " ")+1:]] = names[0]
		case "pwrite64":
			unsynced[opened[fd]] = true
		case "fsync", "fdatasync":
			delete(unsynced, opened[fd])
			folderSynced = folderSynced || opened[fd] == filepath.Dir(path)
		case "renameat":
			if unsynced[names[0]] {
				t.Errorf("%s got its name before it was synced", filepath.Base(names[0]))
			}
			if named[filepath.Base(names[0])] = true; len(named) == 2 && !folderSynced {
				t.Error("the folder of the new file was not synced")
			}
			folderSynced = false
		}
	}
	if want := []string{"store.db.new", "store.db.compact"}; !named[want[0]] || !named[want[1]] || len(named) != 2 {
		t.Errorf("renamed were %v, want %v", named, want)
	}
	if !folderSynced {
		t.Error("the folder of the compacted file was not synced")
	}
}

// After a sync that failed, the system's cache can hold what the disk never got. Before
// anything is committed again, the cache is dropped, and the headers that are in use are
// written once more.
func TestRecoveryRereadsTheDiskStrace(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	db := start(t, bolt.Config{Path: path}.Small())
	for n := 1; n <= victims; n++ {
		mustCreate(t, db, n, "u")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	failures := 0
	failed, dropped, rewritten, synced := false, false, false, false
	for _, e := range traced(t, path, "fdatasync:error=EIO:when=7+13") {
		headers := e.call == "pwrite64" && e.at < headersEnd
		switch {
		case strings.HasSuffix(e.call, "sync") && e.failed:
			failures++
			failed, dropped, rewritten, synced = true, false, false, false
		case !failed:
		case strings.HasPrefix(e.call, "fadvise"):
			dropped = true
		case headers && e.at == 0 && len(e.data) == headersEnd:
			rewritten = true
		case headers:
			if !dropped || !synced {
				t.Fatalf("a commit after failure %d: cache dropped %t, headers rewritten %t and synced %t",
					failures, dropped, rewritten, synced)
			}
			failed = false
		case strings.HasSuffix(e.call, "sync"):
			synced = rewritten
		}
	}
	if failures == 0 {
		t.Error("no sync failed")
	}
}

package bolt_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/store/bolt"
)

// nobody is a user whom no process of the tests runs as.
const nobody = 61003

// What a volume of Kubernetes does to the modes of this user's file and folder is mended and
// logged, at every start; CheckPath says it before.
func TestOpenMendsModes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, folder         fs.FileMode
		wantFile, wantFolder fs.FileMode
		says                 []string
	}{
		"private":                    {0o600, 0o700, 0o600, 0o700, nil},
		"fsGroup":                    {0o660, 0o770 | fs.ModeSetgid, 0o600, 0o770 | fs.ModeSetgid, []string{"store.db"}},
		"readable by its group":      {0o640, 0o700, 0o600, 0o700, []string{"store.db"}},
		"of everybody":               {0o666, 0o700, 0o600, 0o700, []string{"store.db"}},
		"a folder of everybody":      {0o600, 0o777, 0o600, 0o777 | fs.ModeSticky, []string{"replaced the data file"}},
		"both of everybody":          {0o777, 0o777 | fs.ModeSetgid, 0o700, 0o777 | fs.ModeSetgid | fs.ModeSticky, []string{"store.db", "replaced the data file"}},
		"a folder with a sticky bit": {0o600, 0o777 | fs.ModeSticky, 0o600, 0o777 | fs.ModeSticky, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			if err := errors.Join(os.Chmod(path, c.file), os.Chmod(filepath.Dir(path), c.folder)); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the modes may change between any two starts
				repairs, err := bolt.CheckPath(path)
				if err != nil || len(repairs) != len(c.says) {
					t.Errorf("CheckPath is %q, %v; want %d repairs", repairs, err, len(c.says))
				}
				var log bytes.Buffer
				db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				if err != nil {
					t.Fatal(err)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				for _, says := range c.says {
					if !strings.Contains(log.String(), says) || !strings.Contains(strings.Join(repairs, " "), says) {
						t.Errorf("log %q and repairs %q, want both to say %q", log.String(), repairs, says)
					}
				}
				if strings.Contains(log.String(), "changed a mode") != (len(c.says) > 0) {
					t.Errorf("log: %s", log.String())
				}
				wantMode(t, path, c.wantFile)
				wantMode(t, filepath.Dir(path), c.wantFolder)
				if err := errors.Join(os.Chmod(path, c.file), os.Chmod(filepath.Dir(path), c.folder)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode() &^ fs.ModeDir; got != want {
		t.Errorf("%s has mode %v, want %v", path, got, want)
	}
}

// A folder in which another user lets everybody replace the file is refused at the first start
// and at later ones, and a folder inside of it is accepted. So is what belongs to this user in a
// folder with a sticky bit; another user's file there is not.
func TestOpenInFoldersOfOthers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("only root can make the folders of others")
		return
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "store.db")
	if err := errors.Join(os.Chown(folder, nobody, nobody), os.Chmod(folder, 0o777)); err != nil {
		t.Fatal(err)
	}
	refused := func() {
		t.Helper()
		_, checked := bolt.CheckPath(path)
		_, opened := bolt.Open(t.Context(), bolt.Config{Path: path})
		for _, err := range []error{checked, opened} {
			if !errors.Is(err, bolt.ErrPermissions) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v with the path", err, bolt.ErrPermissions)
			}
		}
	}
	refused()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the refusal has made the file: %v", err)
	}
	_, err := bolt.CheckPath(path)
	for _, way := range []string{"chmod +t", filepath.Join(folder, "issuer", "store.db")} {
		if !strings.Contains(err.Error(), way) {
			t.Errorf("%v does not name %s", err, way)
		}
	}
	start(t, bolt.Config{Path: filepath.Join(folder, "issuer", "store.db")})

	if err := os.Chmod(folder, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	db := start(t, bolt.Config{Path: path})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	refused()
	if err := errors.Join(os.Chmod(folder, 0o777|fs.ModeSticky), os.Chown(path, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	refused()
}

// A file of another user keeps its mode: that user may have meant it.
func TestOpenLeavesModesOfOthers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("only root can make the files of others")
		return
	}
	path := filled(t)
	if err := errors.Join(os.Chown(path, nobody, nobody), os.Chmod(path, 0o660)); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(t.Context(), bolt.Config{Path: path}); !errors.Is(err, bolt.ErrPermissions) {
		t.Errorf("got %v, want %v", err, bolt.ErrPermissions)
	}
	wantMode(t, path, 0o660)
}

// A file that does not exist yet is no fault, wherever it is to be.
func TestCheckPathBeforeFirstStart(t *testing.T) {
	for _, path := range []string{newPath(t), filepath.Join(t.TempDir(), "a", "b", "store.db")} {
		if repairs, err := bolt.CheckPath(path); err != nil || len(repairs) > 0 {
			t.Errorf("%s: %q, %v", path, repairs, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("CheckPath has made %s", path)
		}
	}
}

package e2e_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// O15: builds of the same sources in different folders are equal, byte for byte, and hold no
// path of the machine.
func TestReproducibleBuild(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	first := buildIn(t, root, filepath.Join(base, "here"))
	second := buildIn(t, root, filepath.Join(base, "some", "where", "else"))
	if !bytes.Equal(first, second) {
		t.Errorf("two builds of the same sources differ: %d and %d bytes", len(first), len(second))
	}
	for _, path := range []string{base, root} {
		if bytes.Contains(first, []byte(path)) {
			t.Errorf("the program holds the path %s", path)
		}
	}
}

// On a system that the program does not run on, the build fails with a sentence that says where it runs.
func TestUnsupportedSystems(t *testing.T) {
	t.Parallel()
	for system, arch := range map[string]string{"windows": "amd64", "solaris": "amd64", "aix": "ppc64", "plan9": "amd64"} {
		build := exec.CommandContext(t.Context(), "go", "build", "./cmd/issuer/internal/process")
		build.Dir = "../.."
		build.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
		out, err := build.CombinedOutput()
		if want := "the_issuer_does_not_run_on_this_system_only_on_Linux_macOS_and_the_BSDs"; err == nil || !bytes.Contains(out, []byte(want)) {
			t.Errorf("%s: %v\n%s", system, err, out)
		}
	}
}

// buildIn copies the sources to a folder, builds the release there, and returns the program.
func buildIn(t *testing.T, root, dir string) []byte {
	t.Helper()
	aside := []string{".git", "bin", "data", "node_modules", "testdata"}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(aside, entry.Name()):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, name)
		return errors.Join(os.MkdirAll(filepath.Dir(target), 0o700), os.WriteFile(target, text, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "make", "build")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(dir, "bin", "issuer"))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

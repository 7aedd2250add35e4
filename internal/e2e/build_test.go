package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// O15: whoever builds the same sources, wherever they lie, gets the same bytes, and no
// path of the machine is in them.
func TestReproducibleBuild(t *testing.T) {
	top, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(top))
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	base := t.TempDir()
	first := buildIn(t, root, files, filepath.Join(base, "here"))
	second := buildIn(t, root, files, filepath.Join(base, "some", "where", "else"))
	if sha256.Sum256(first) != sha256.Sum256(second) {
		t.Errorf("two builds of the same sources differ: %d and %d bytes", len(first), len(second))
	}
	for _, path := range []string{base, root} {
		if bytes.Contains(first, []byte(path)) {
			t.Errorf("the program holds the path %s", path)
		}
	}
}

// buildIn copies the sources to a folder, builds them there as they ship, and returns the
// program.
func buildIn(t *testing.T, root string, files []string, dir string) []byte {
	t.Helper()
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) { // removed, and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, text, 0o600); err != nil {
			t.Fatal(err)
		}
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

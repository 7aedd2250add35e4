package secret_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/secret"
)

func write(t *testing.T, text string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "issuer.secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o440, 0o640} { // the group of a test is its own
		s, err := secret.Load(write(t, canary+"\n", mode))
		if err != nil {
			t.Fatal(err)
		}
		if s.Derive("test") != parse(t, canary).Derive("test") {
			t.Error("the file holds another secret than its text")
		}
	}
}

// A link is followed through a folder that only this user can write to.
func TestLoadThroughLink(t *testing.T) {
	if _, err := secret.Load(link(t, write(t, canary, 0o600), 0o755)); err != nil {
		t.Error(err)
	}
}

// link returns a symbolic link to path, in a folder of its own with that mode.
func link(t *testing.T, path string, mode fs.FileMode) string {
	t.Helper()
	folder := t.TempDir()
	name := filepath.Join(folder, "link")
	if err := errors.Join(os.Symlink(path, name), os.Chmod(folder, mode)); err != nil {
		t.Fatal(err)
	}
	return name
}

// O01, O02.
func TestLoadRefuses(t *testing.T) {
	symlink := link(t, write(t, canary, 0o600), 0o777)
	dangling := filepath.Join(t.TempDir(), "dangling")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		want       error
		mend       string
	}{
		{"missing", filepath.Join(t.TempDir(), "none"), fs.ErrNotExist, "make one"},
		{"missing folder", filepath.Join(t.TempDir(), "none", "none"), fs.ErrNotExist, "make one"},
		{"symlink that others can replace", symlink, secret.ErrPermissions, "chmod go-w"},
		{"dangling symlink", dangling, fs.ErrNotExist, "make one"},
		{"directory", t.TempDir(), secret.ErrNotRegular, "a directory"},
		{"device", os.DevNull, secret.ErrNotRegular, "a special file"},
		{"writable by the group", write(t, canary, 0o660), secret.ErrPermissions, "chmod 600"},
		{"readable by others", write(t, canary, 0o604), secret.ErrPermissions, "chmod 600"},
		{"writable by others", write(t, canary, 0o602), secret.ErrPermissions, "chmod 600"},
		{"open to all", write(t, canary, 0o777), secret.ErrPermissions, "chmod 600"},
		{"empty", write(t, "", 0o600), secret.ErrFormat, "put one line"},
		{"short", write(t, canary[:20], 0o600), secret.ErrFormat, "put one line"},
		{"two lines", write(t, canary+"\n"+canary, 0o600), secret.ErrFormat, "put one line"},
		{"long", write(t, strings.Repeat("a", 1<<20), 0o600), secret.ErrFormat, "put one line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := secret.Load(tt.path)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if !s.IsZero() {
				t.Error("a secret came with the error")
			}
			message := err.Error()
			if !strings.Contains(message, tt.path) || !strings.Contains(message, tt.mend) {
				t.Errorf("%q does not name the path and %q", message, tt.mend)
			}
			if strings.Contains(message, canary[:20]) {
				t.Errorf("%q shows the content", message)
			}
		})
	}
}

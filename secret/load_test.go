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
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		s, err := secret.Load(write(t, canary+"\n", mode))
		if err != nil {
			t.Fatal(err)
		}
		if s.Derive("test") != parse(t, canary).Derive("test") {
			t.Error("the file holds another secret than its text")
		}
	}
}

// O01, O02.
func TestLoadRefuses(t *testing.T) {
	symlink := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(write(t, canary, 0o600), symlink); err != nil {
		t.Fatal(err)
	}
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
		{"symlink", symlink, secret.ErrNotRegular, "a symbolic link"},
		{"dangling symlink", dangling, secret.ErrNotRegular, "a symbolic link"},
		{"directory", t.TempDir(), secret.ErrNotRegular, "a directory"},
		{"device", os.DevNull, secret.ErrNotRegular, "a special file"},
		{"readable by the group", write(t, canary, 0o640), secret.ErrPermissions, "chmod 600"},
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

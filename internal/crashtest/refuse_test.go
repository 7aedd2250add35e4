//go:build linux

package crashtest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"issuer.example/internal/program"
)

// A data file that cannot be used is refused with one clear line, and not changed.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		says  string
	}{
		"empty":                {write(func([]byte) []byte { return nil }), "is empty"},
		"text":                 {write(func([]byte) []byte { return bytes.Repeat([]byte("hello, world\n"), 4096) }), "not a bbolt file"},
		"cut in its header":    {write(func(b []byte) []byte { return b[:100] }), "data file"},
		"cut in its middle":    {write(func(b []byte) []byte { return b[:len(b)/2] }), "truncated"},
		"header wiped":         {write(func(b []byte) []byte { return append(make([]byte, 8192), b[8192:]...) }), "not a bbolt file"},
		"of another program":   {replace("programissuer", "programbrewer"), "another program"},
		"of a newer version":   {write(newerSchema), "newer version"},
		"of no version":        {replace("schema\x00\x00\x00", "schemb\x00\x00\x00"), "damaged"},
		"write-only":           {chmod(0o266), "mode 0600"},
		"read-only":            {chmod(0o400), "data/issuer.db"},
		"a folder":             {swap(func(path string) error { return os.Mkdir(path, 0o700) }), "not a regular file"},
		"a link to a folder":   {swap(func(path string) error { return os.Symlink(t.TempDir(), path) }), "not a regular file"},
		"its folder is a file": {folder(func(path string) error { return os.WriteFile(path, nil, 0o600) }), "data"},
	} {
		t.Run(name, func(t *testing.T) {
			s := used(t)
			c.spoil(t, s.data())
			before, _ := os.ReadFile(s.data()) // there may be no file
			line, err := program.Refusal(s.command(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(line, c.says) || !strings.Contains(line, "data/issuer.db") {
				t.Errorf("it says %q, which lacks %q or the path", line, c.says)
			}
			if after, _ := os.ReadFile(s.data()); !bytes.Equal(before, after) {
				t.Error("the refusal has changed the file")
			}
		})
	}
}

// used is a site whose issuer has run and has stopped.
func used(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.start(time.Minute)
	if r := s.api.mint("u1"); r.status != 201 {
		t.Fatalf("mint was answered %v", r)
	}
	s.stop()
	return s
}

// write changes the content of a file.
func write(change func([]byte) []byte) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newerSchema raises every version of the schema in a file: four bytes that follow its name.
func newerSchema(content []byte) []byte {
	name := []byte("schema\x00\x00\x00")
	content = bytes.Clone(content)
	for at := 0; ; {
		i := bytes.Index(content[at:], name)
		if i < 0 {
			return content
		}
		at += i + len(name)
		content[at]++
	}
}

// replace replaces a text in a file, which must hold it.
func replace(old, by string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		write(func(content []byte) []byte {
			if !bytes.Contains(content, []byte(old)) {
				t.Fatalf("the file does not hold %q", old)
			}
			return bytes.ReplaceAll(content, []byte(old), []byte(by))
		})(t, path)
	}
}

func chmod(mode os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// swap puts something else in the file's place.
func swap(by func(path string) error) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := by(path); err != nil {
			t.Fatal(err)
		}
	}
}

// folder puts something else in the place of the file's folder.
func folder(by func(path string) error) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		if err := by(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
	}
}

// A second process on the same file refuses to start; the first one continues.
func TestSecondProcess(t *testing.T) {
	s := newSite(t)
	s.start(time.Minute)
	begin := time.Now()
	line, err := program.Refusal(s.command(time.Minute, "ISSUER_STORE_LOCK_WAIT=0s"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(line, "data/issuer.db") || !strings.Contains(line, "another process") {
		t.Errorf("it says %q", line)
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("it gives up after %v", took)
	}
	if r := s.api.mint("u1"); r.status != 201 {
		t.Errorf("the first process answers %v", r)
	}
	s.stop()
}

// A read-only file system is refused. Without the privilege to mount one, the test makes the
// file read-only.
func TestReadOnlyFileSystem(t *testing.T) {
	s := newSite(t)
	folder := filepath.Dir(s.data())
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	mounts := mountable(t)
	if mounts {
		mount(t, folder, "mode=0700")
	}
	s.start(time.Minute)
	s.stop()
	says := "read-only file system"
	if mounts {
		if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
	} else {
		chmod(0o400)(t, s.data())
		says = "data file"
	}
	line, err := program.Refusal(s.command(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(line, "data/issuer.db") || !strings.Contains(line, says) {
		t.Errorf("it says %q, which lacks %q or the path", line, says)
	}
}

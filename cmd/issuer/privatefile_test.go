package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/client"
	"issuer.example/internal/keyfile"
)

func TestServiceKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "key")
	key := client.GenerateKey()
	if err := writePrivate(path, key); err != nil {
		t.Fatal(err)
	}
	if got, err := readServiceKey(path); err != nil || got != key {
		t.Errorf("readServiceKey = %q, %v", got, err)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := writePrivate(path, client.GenerateKey()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("writing over a key: %v, want ErrExist", err)
	}
	if got, _ := readServiceKey(path); got != key {
		t.Error("the refused write has changed the file")
	}
}

// The key may come from a command: a shell makes a pipe of <(command).
func TestServiceKeyFromPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	key := client.GenerateKey()
	if _, err := w.WriteString(key + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readServiceKey(fmt.Sprintf("/dev/fd/%d", r.Fd())); err != nil || got != key {
		t.Errorf("readServiceKey = %q, %v", got, err)
	}
}

func TestReadServiceKeyRefuses(t *testing.T) {
	key := client.GenerateKey()
	for name, c := range map[string]struct {
		text string
		mode fs.FileMode
		want error
	}{
		"a file open to its group":      {key, 0o660, keyfile.ErrPermissions},
		"a file open to others":         {key, 0o604, keyfile.ErrPermissions},
		"a file without a key":          {"hello", 0o600, client.ErrKeyFormat},
		"a file with two keys":          {key + "\n" + key, 0o600, client.ErrKeyFormat},
		"a key behind a KiB of spaces":  {strings.Repeat(" ", 1024) + key, 0o600, client.ErrKeyFormat},
		"a key with something after it": {key + " x", 0o600, client.ErrKeyFormat},
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		_, err := readServiceKey(path)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v, want %v with the path and without the key", name, err, c.want)
		}
	}
	if _, err := readServiceKey(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNotExist", err)
	}
}

package credential_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/cmd/issuer/internal/credential"
)

func TestNewIsAKeyEachTime(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		key := credential.New()
		if got, err := credential.Parse(" " + key + "\n"); err != nil || got != key {
			t.Fatalf("Parse(%q) = %q, %v", key, got, err)
		}
		if seen[key] {
			t.Fatal("a key came twice")
		}
		seen[key] = true
	}
}

func TestHashIsOfTheWholeText(t *testing.T) {
	const key, want = "sk_abc", "7c8d93f8ffb4cdb85b2a4b0c10886a66959da2eb67707b1c54718850a56d158c"
	if got := credential.Hash(key); got != want {
		t.Errorf("Hash(%q) = %q, want %q", key, got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	good := credential.New()
	for _, text := range []string{
		"", "sk_", good[:len(good)-1], good + "A", "SK_" + good[3:], good[3:], good + "\n" + good,
		good[:10] + "+" + good[11:], good[:10] + " " + good[11:], strings.Repeat("x", 1<<20),
	} {
		if _, err := credential.Parse(text); !errors.Is(err, credential.ErrFormat) {
			t.Errorf("Parse(%.60q): %v, want ErrFormat", text, err)
		} else if len(text) > 10 && strings.Contains(err.Error(), text[3:10]) {
			t.Errorf("the error quotes the key: %v", err)
		}
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "key")
	key := credential.New()
	if err := credential.WriteFile(path, key); err != nil {
		t.Fatal(err)
	}
	if got, err := credential.ReadFile(path); err != nil || got != key {
		t.Errorf("ReadFile = %q, %v", got, err)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := credential.WriteFile(path, credential.New()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("writing over a key: %v, want ErrExist", err)
	}
	if got, _ := credential.ReadFile(path); got != key {
		t.Error("the refused write has changed the file")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := credential.ReadFile(path); !errors.Is(err, credential.ErrPermissions) {
		t.Errorf("a file open to its group: %v, want ErrPermissions", err)
	}
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := credential.ReadFile(path); !errors.Is(err, credential.ErrFormat) || !strings.Contains(err.Error(), path) {
		t.Errorf("a file without a key: %v, want ErrFormat and the path", err)
	}
	if _, err := credential.ReadFile(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNotExist", err)
	}
}

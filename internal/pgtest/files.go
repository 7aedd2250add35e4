package pgtest

import (
	"os"
	"path/filepath"
)

// newFolder makes a folder of the account.
func (in *installation) newFolder() (string, error) {
	folder, err := os.MkdirTemp(in.folder, "")
	if err != nil {
		return "", err
	}
	return folder, in.account.own(folder)
}

// writeFile writes a file of the account, which replaces another at once.
func (in *installation) writeFile(path, text string) error {
	next := filepath.Join(filepath.Dir(path), ".next")
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	if err := in.account.own(next); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// fileText is what a file has; "" if it can't be read.
func fileText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

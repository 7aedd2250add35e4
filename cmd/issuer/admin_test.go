package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// When nothing sets the address of the issuer, a success too says which address was called.
func TestAssumedAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	key := variableKey + "=sk_" + strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		write   bool
		environ []string
		url     string
		says    bool
	}{
		"nothing":    {environ: []string{key}, says: true},
		"--admin":    {environ: []string{key}, url: "http://127.0.0.1:1"},
		"a URL":      {environ: []string{key, variableURL + "=http://127.0.0.1:1"}},
		"an address": {environ: []string{key, variableListen + "=127.0.0.1:1"}},
		"a file":     {environ: []string{key}, write: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.write {
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				defer os.Remove(file)
			}
			var stderr strings.Builder
			command := &adminCommand{app: &app{environ: c.environ, stderr: &stderr, configPath: file}, url: c.url}
			if _, err := command.client(); err != nil {
				t.Fatal(err)
			}
			if err := command.explainAssumedAddress(nil); err != nil {
				t.Fatal(err)
			}
			if says := strings.Contains(stderr.String(), "the issuer at the default address"); says != c.says {
				t.Errorf("standard error: %q", stderr.String())
			}
		})
	}
}

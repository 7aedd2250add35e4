package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
)

func TestScopesAreTheDocumentedOnes(t *testing.T) {
	want := []client.Scope{
		"sessions:mint", "sessions:read", "sessions:revoke", "revocations:read", "tokens:introspect", "admin",
	}
	if diff := cmp.Diff(want, client.Scopes()); diff != "" {
		t.Error(diff)
	}
}

func TestParseScope(t *testing.T) {
	for _, s := range client.Scopes() {
		if got, err := client.ParseScope(string(s)); err != nil || got != s {
			t.Errorf("ParseScope(%q) = %q, %v", s, got, err)
		}
	}
	for _, text := range []string{"", "Admin", "admin ", "sessions", "sessions:*", "sessions:mint,admin"} {
		got, err := client.ParseScope(text)
		if !errors.Is(err, client.ErrScope) || got != "" {
			t.Errorf("ParseScope(%q) = %q, %v, want ErrScope", text, got, err)
			continue
		}
		for _, s := range client.Scopes() {
			if !strings.Contains(err.Error(), string(s)) {
				t.Errorf("ParseScope(%q): the error does not name %s: %v", text, s, err)
			}
		}
	}
}

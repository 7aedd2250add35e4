package client_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"issuer.example/client"
)

func TestGenerateKeyMakesDistinctKeys(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		key := client.GenerateKey()
		if got, err := client.ParseKey(key); err != nil || got != key {
			t.Fatalf("ParseKey(%q) = %q, %v", key, got, err)
		}
		if raw, err := base64.RawURLEncoding.DecodeString(key[len(client.KeyPrefix):]); err != nil || len(raw) != 32 {
			t.Fatalf("%q holds %d bytes, %v", key, len(raw), err)
		}
		if seen[key] {
			t.Fatal("the same key was made twice")
		}
		seen[key] = true
	}
}

func TestParseKeyRefuses(t *testing.T) {
	good := client.GenerateKey()
	for _, text := range []string{
		"", "sk_", good[:len(good)-1], good + "A", "SK_" + good[3:], good[3:], good + "\n" + good,
		" " + good, good + "\n", "pk_" + good[3:], good[:10] + "+" + good[11:], good[:10] + " " + good[11:],
		good[:10] + "\x00" + good[11:], good[:len(good)-2] + "é", strings.Repeat("x", 1<<20),
	} {
		if _, err := client.ParseKey(text); !errors.Is(err, client.ErrKeyFormat) {
			t.Errorf("ParseKey(%.60q): %v, want ErrKeyFormat", text, err)
		} else if len(text) > 10 && strings.Contains(err.Error(), text[3:10]) {
			t.Errorf("the error quotes the key: %v", err)
		}
	}
}

// Whatever ParseKey accepts has the form of a key, is returned unchanged and can be found.
func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{"", "sk_", "sk_" + strings.Repeat("-", 43), "sk_" + strings.Repeat("é", 21) + "a", client.GenerateKey()} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		body, prefixed := strings.CutPrefix(text, "sk_")
		want := prefixed && len(body) == 43 && strings.Trim(body, alphabet) == ""
		got, err := client.ParseKey(text)
		if (err == nil) != want {
			t.Fatalf("ParseKey(%q): %v, want accepted: %v", text, err, want)
		}
		if want && got != text {
			t.Errorf("ParseKey(%q) = %q", text, got)
		}
		r, err := client.NewRegistry([]client.Key{{Name: "a", SHA256: client.HashKey(text)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, found := r.Find(text); found != want {
			t.Errorf("Find(%q) = %v, want %v", text, found, want)
		}
	})
}

package client_test

import (
	"errors"
	"strings"
	"testing"

	"issuer.example/client"
)

func TestHashIsOfTheWholeText(t *testing.T) {
	const key, want = "sk_abc", "7c8d93f8ffb4cdb85b2a4b0c10886a66959da2eb67707b1c54718850a56d158c"
	hash := client.HashKey(key)
	if hash.String() != want {
		t.Errorf("HashKey(%q) = %s, want %s", key, hash, want)
	}
	if got, err := client.ParseHash(want); err != nil || got != hash {
		t.Errorf("ParseHash(%q) = %s, %v", want, got, err)
	}
}

func TestParseHashRefuses(t *testing.T) {
	good := client.HashKey("a").String()
	for _, text := range []string{
		"", good[1:], good + "0", good[:62] + "0g", strings.ToUpper(good), "0x" + good[2:], " " + good[1:], strings.Repeat("é", 32),
	} {
		if got, err := client.ParseHash(text); !errors.Is(err, client.ErrHashFormat) || got != (client.Hash{}) {
			t.Errorf("ParseHash(%q) = %s, %v, want ErrHashFormat", text, got, err)
		}
	}
}

// Whatever ParseHash accepts is written back in the same way.
func FuzzParseHash(f *testing.F) {
	f.Add(client.HashKey("a").String())
	f.Add(strings.Repeat("F", 64))
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := client.ParseHash(text); err == nil && h.String() != text {
			t.Errorf("ParseHash(%q) is written as %q", text, h)
		}
	})
}

package client_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/client"
)

func registry(t *testing.T, keys ...client.Key) *client.Registry {
	t.Helper()
	r, err := client.NewRegistry(keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFind(t *testing.T) {
	texts, keys := make([]string, 5), make([]client.Key, 5)
	for i := range keys {
		texts[i] = client.GenerateKey()
		keys[i] = client.Key{
			Name: fmt.Sprintf("client-%d", i), SHA256: client.HashKey(texts[i]), Scopes: []client.Scope{client.Scopes()[i]},
		}
	}
	r := registry(t, keys...)
	for i, text := range texts {
		got, ok := r.Find(text)
		if !ok || got.Name != keys[i].Name || got.SHA256 != keys[i].SHA256 {
			t.Errorf("Find of key %d = %v, %v", i, got, ok)
		}
		for j, scope := range client.Scopes() {
			if got.Allows(scope) != (i == j) {
				t.Errorf("key %d, scope %s: %v", i, scope, got.Allows(scope))
			}
		}
	}
	for _, text := range []string{"", client.GenerateKey(), texts[0] + " ", texts[0][1:], keys[0].SHA256.String(), keys[0].Name} {
		if got, ok := r.Find(text); ok || got.Name != "" {
			t.Errorf("Find(%q) = %v, %v", text, got, ok)
		}
	}
	if _, ok := registry(t).Find(texts[0]); ok {
		t.Error("a registry without keys finds one")
	}
}

func TestHas(t *testing.T) {
	r := registry(t, client.Key{Name: "a"})
	for name, want := range map[string]bool{"a": true, "b": false, "": false} {
		if r.Has(name) != want {
			t.Errorf("Has(%q) = %v", name, !want)
		}
	}
}

func TestNewRegistryRefuses(t *testing.T) {
	a, b := client.HashKey("a"), client.HashKey("b")
	for name, c := range map[string]struct {
		keys []client.Key
		want error
	}{
		"no name":             {[]client.Key{{SHA256: a}}, client.ErrName},
		"a name of two lines": {[]client.Key{{Name: "a\nb", SHA256: a}}, client.ErrName},
		"two of one name":     {[]client.Key{{Name: "a", SHA256: a}, {Name: "a", SHA256: b}}, client.ErrDuplicate},
		"two of one hash":     {[]client.Key{{Name: "a", SHA256: a}, {Name: "b", SHA256: a}}, client.ErrDuplicate},
		"an unknown scope":    {[]client.Key{{Name: "a", SHA256: a, Scopes: []client.Scope{"root"}}}, client.ErrScope},
	} {
		if _, err := client.NewRegistry(c.keys); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "0": true, "app.v2_b-c": true, strings.Repeat("x", 64): true,
		"": false, "-a": false, ".a": false, "_a": false, "a b": false, "a\n": false, "é": false, strings.Repeat("x", 65): false,
	} {
		if err := client.CheckName(name); (err == nil) != want || err != nil && !errors.Is(err, client.ErrName) {
			t.Errorf("CheckName(%q): %v, want good: %v", name, err, want)
		}
	}
}

// A registry does not change when the list that it was made of does.
func TestRegistryCopiesItsKeys(t *testing.T) {
	text := client.GenerateKey()
	keys := []client.Key{{Name: "a", SHA256: client.HashKey(text), Scopes: []client.Scope{client.ScopeRead}}}
	r := registry(t, keys...)
	keys[0].Scopes[0], keys[0].Name = client.ScopeAdmin, "b"
	if got, ok := r.Find(text); !ok || got.Name != "a" || got.Allows(client.ScopeAdmin) {
		t.Errorf("Find = %v, %v", got, ok)
	}
}

func TestLastUse(t *testing.T) {
	r := registry(t, client.Key{Name: "a", SHA256: client.HashKey("a")}, client.Key{Name: "b", SHA256: client.HashKey("b")})
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	r.MarkUsed("a", noon)
	r.MarkUsed("a", noon.Add(-time.Second)) // arrives late
	r.MarkUsed("nobody", noon)
	if got := r.LastUse("a"); !got.Equal(noon) {
		t.Errorf("LastUse(a) = %v, want %v", got, noon)
	}
	for _, name := range []string{"b", "nobody"} {
		if got := r.LastUse(name); !got.IsZero() {
			t.Errorf("LastUse(%s) = %v, want zero", name, got)
		}
	}
}

// The latest of many concurrent uses is kept.
func TestLastUseConcurrently(t *testing.T) {
	r := registry(t, client.Key{Name: "a"})
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			for j := range 1000 {
				r.MarkUsed("a", noon.Add(time.Duration(j*8+i)*time.Millisecond))
				_ = r.LastUse("a")
			}
		})
	}
	running.Wait()
	if got, want := r.LastUse("a"), noon.Add(7999*time.Millisecond); !got.Equal(want) {
		t.Errorf("LastUse = %v, want %v", got, want)
	}
}

// A registry that takes the place of another one knows when the keys of both were last used, and
// hears of uses of the other one. A key that was replaced was not used.
func TestShareUses(t *testing.T) {
	key := func(name, text string) client.Key { return client.Key{Name: name, SHA256: client.HashKey(text)} }
	before, err := client.NewRegistry([]client.Key{key("a", "1"), key("b", "2"), key("c", "3")})
	if err != nil {
		t.Fatal(err)
	}
	after, err := client.NewRegistry([]client.Key{key("b", "2"), key("c", "4"), key("d", "5")})
	if err != nil {
		t.Fatal(err)
	}
	first, second := time.UnixMilli(1000).UTC(), time.UnixMilli(2000).UTC()
	for _, name := range []string{"a", "b", "c"} {
		before.MarkUsed(name, first)
	}
	after.ShareUses(before)
	if got := after.LastUse("b"); !got.Equal(first) {
		t.Errorf("b was used at %v", got)
	}
	before.MarkUsed("b", second) // by a request that is under way
	for name, want := range map[string]time.Time{"a": {}, "b": second, "c": {}, "d": {}} {
		if got := after.LastUse(name); !got.Equal(want) {
			t.Errorf("%s was used at %v, want %v", name, got, want)
		}
	}
}

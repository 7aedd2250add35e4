package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"issuer.example/fact"
	"issuer.example/keys"
)

// wantKeys fails unless these are the keys.
func (f *fixture) wantKeys(t failer, version uint64, document []byte) {
	t.Helper()
	got, err := f.LoadKeys(t.Context())
	if err != nil || got.Version != version || !bytes.Equal(got.Document, document) {
		t.Errorf("keys: version %d, %d bytes, %v; want %d, %d", got.Version, len(got.Document), err, version, len(document))
	}
}

func testKeys(t *testing.T, harness Harness) {
	subtests(t, harness, map[string]func(*testing.T, Harness){
		"Swap": testKeysSwap, "Race": testKeysRace, "Changes": testKeysChanges,
	})
}

func testKeysSwap(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	swap := func(from uint64, document []byte, want error) {
		t.Helper()
		if err := f.SwapKeys(t.Context(), from, document, nil); !errors.Is(err, want) {
			t.Errorf("swap from %d: %v", from, err)
		}
	}
	f.wantKeys(t, 0, nil)
	swap(1, []byte("too far"), keys.ErrConflict)
	f.wantKeys(t, 0, nil)
	swap(0, []byte("one"), nil)
	f.wantKeys(t, 1, []byte("one"))
	swap(0, []byte("again"), keys.ErrConflict)
	large := bytes.Repeat([]byte("\x00\xff"), 1<<17) // many keys, sealed, and all bytes
	swap(1, large, nil)
	f.wantKeys(t, 2, large)
	f.reopen()
	f.wantKeys(t, 2, large)

	// The store keeps a copy of the bytes, and hands out copies.
	document := []byte("three")
	swap(2, document, nil)
	copy(document, "XXXXX")
	f.wantKeys(t, 3, []byte("three"))
	got, err := f.LoadKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	copy(got.Document, "XXXXX")
	f.wantKeys(t, 3, []byte("three"))
	f.crash()
	f.wantKeys(t, 3, []byte("three"))
}

// Of several swaps from one version, by several issuers, exactly one succeeds.
func testKeysRace(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 4)
	for version := range uint64(8) {
		var (
			wg     sync.WaitGroup
			winner atomic.Pointer[string]
		)
		for n := range 16 {
			wg.Go(func() {
				document := fmt.Sprintf("%d by %d", version+1, n)
				err := f.issuers[n%len(f.issuers)].SwapKeys(t.Context(), version, []byte(document), nil)
				switch {
				case err == nil:
					if other := winner.Swap(&document); other != nil {
						t.Errorf("both %q and %q succeeded", *other, document)
					}
				case !errors.Is(err, keys.ErrConflict):
					t.Errorf("swap: %v", err)
				}
			})
		}
		wg.Wait()
		if winner.Load() == nil {
			t.Fatal("none succeeded")
		}
		f.wantKeys(t, version+1, []byte(*winner.Load()))
	}
}

// A swap writes its changes to the journal, and one that is refused writes nothing.
func testKeysChanges(t *testing.T, harness Harness) {
	f := newFixture(t, harness, 1)
	changes := []keys.Change{
		{KeyID: "k1", From: keys.Active, To: keys.Retiring, At: after(1)},
		{KeyID: "k2", From: keys.Pending, To: keys.Active, At: after(1), By: "operator"},
		{KeyID: "k0", From: keys.Retiring, To: keys.Gone, At: after(1), Revoked: true, By: "operator"},
	}
	if err := f.SwapKeys(t.Context(), 1, []byte("two"), changes); !errors.Is(err, keys.ErrConflict) {
		t.Errorf("swap from 1: %v", err)
	}
	f.wantFacts(t, "a refused swap", 0)
	if err := f.SwapKeys(t.Context(), 0, []byte("one"), changes); err != nil {
		t.Fatal(err)
	}
	want := []fact.Fact{
		{Kind: fact.KeyChanged, At: after(1), KeyID: "k1", What: "retiring"},
		{Kind: fact.KeyChanged, At: after(1), KeyID: "k2", What: "active", By: "operator"},
		{Kind: fact.KeyChanged, At: after(1), KeyID: "k0", What: "revoked", By: "operator"},
	}
	f.wantFacts(t, "a swap", 0, want...)
	if err := f.SwapKeys(t.Context(), 1, []byte("one, sealed anew"), nil); err != nil {
		t.Fatal(err)
	}
	f.wantFacts(t, "a swap without changes", 3)
	f.crash()
	f.wantFacts(t, "the journal after a crash", 0, want...)
}

package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"issuer.example/internal/rounds"
	"issuer.example/jwt"
	"issuer.example/keys"
)

// The document holds exactly what RFC 7517 and 7518 ask for a public key.
func TestJWKSMembers(t *testing.T) {
	want := map[jwt.Algorithm][]string{
		jwt.ES256: {"alg", "crv", "kid", "kty", "use", "x", "y"},
		jwt.EdDSA: {"alg", "crv", "kid", "kty", "use", "x"},
		jwt.RS256: {"alg", "e", "kid", "kty", "n", "use"},
	}
	for alg, members := range want {
		t.Run(string(alg), func(t *testing.T) {
			cfg := config(t, newStore(t), newClock())
			cfg.Algorithm = alg
			m := open(t, cfg)
			var doc map[string][]map[string]string
			if err := json.Unmarshal(m.JWKS().Body, &doc); err != nil {
				t.Fatal(err)
			}
			if len(doc) != 1 || len(doc["keys"]) != 1 {
				t.Fatalf("the document is %s", m.JWKS().Body)
			}
			key := doc["keys"][0]
			if diff := cmp.Diff(members, slices.Sorted(maps.Keys(key))); diff != "" {
				t.Error(diff)
			}
			if key["use"] != "sig" || key["alg"] != string(alg) || key["kid"] != kidOf(t, m) {
				t.Errorf("the key is %v", key)
			}
			compareReaders(t, m.JWKS().Body)
			public, _ := m.Key(key["kid"])
			if thumbprint, err := jwt.Thumbprint(public.Public); err != nil || thumbprint != key["kid"] {
				t.Errorf("kid %s, thumbprint %s, %v", key["kid"], thumbprint, err)
			}
		})
	}
}

func TestJWKSOrderAndETag(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	tags := map[string]string{}
	expect := func(when string, states ...keys.State) {
		t.Helper()
		doc := m.JWKS()
		var got []keys.State
		for _, k := range parseJWKS(t, doc).Keys() {
			got = append(got, find(t, m, k.ID).State)
		}
		if diff := cmp.Diff(states, got); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
		if n := len(doc.ETag); n < 3 || doc.ETag[0] != '"' || doc.ETag[n-1] != '"' {
			t.Errorf("%s: the entity tag is %s", when, doc.ETag)
		}
		if other, ok := tags[doc.ETag]; ok {
			t.Errorf("%s has the entity tag of %s", when, other)
		}
		tags[doc.ETag] = when
	}
	expect("first", keys.Active)
	before := m.JWKS()
	c.Add(time.Second)
	step(t, m)
	if diff := cmp.Diff(before, m.JWKS()); diff != "" {
		t.Errorf("the document changed with nothing done: %s", diff)
	}
	rotate(t, m)
	expect("published", keys.Active, keys.Pending)
	c.Add(time.Hour)
	step(t, m)
	expect("promoted", keys.Active, keys.Retiring)
	rotate(t, m)
	expect("published again", keys.Active, keys.Pending, keys.Retiring)
	c.Add(30 * time.Minute)
	step(t, m)
	expect("dropped", keys.Active, keys.Pending)
}

func TestMaxAgeFollowsPublishBefore(t *testing.T) {
	for _, tt := range []struct{ publishBefore, maxAge, want time.Duration }{
		{0, 0, 15 * time.Minute},
		{24 * time.Hour, 0, 15 * time.Minute},
		{10 * time.Second, 0, 2 * time.Second},
		{time.Hour, 58 * time.Minute, 58 * time.Minute},
	} {
		cfg := config(t, newStore(t), newClock())
		cfg.PublishBefore, cfg.MaxAge = tt.publishBefore, tt.maxAge
		if got := open(t, cfg).JWKS().MaxAge; got != tt.want {
			t.Errorf("publish_before %v, max-age %v: %v, want %v", tt.publishBefore, tt.maxAge, got, tt.want)
		}
	}
}

// One key in 128 has a coordinate that begins with a zero byte. RFC 7518 §6.2.1.2
// wants it written in full.
func TestPublicKeysReadBack(t *testing.T) {
	for range rounds.Rounds(t, 200, 2000) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		readBack(t, jwt.Key{ID: "k", Algorithm: jwt.ES256, Public: private.Public()})
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		readBack(t, jwt.Key{ID: "k", Algorithm: jwt.EdDSA, Public: public})
	}
}

func readBack(t *testing.T, key jwt.Key) {
	t.Helper()
	text, err := keys.PublicJWK(key)
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwt.ParseJWKS(setOf(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if got, _ := set.Key(key.ID); !key.Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(got.Public) || got.Algorithm != key.Algorithm {
		t.Fatalf("%s is read as %+v", text, got)
	}
}

// setOf writes a JWK Set.
func setOf(keys ...[]byte) []byte {
	return slices.Concat([]byte(`{"keys":[`), bytes.Join(keys, []byte(",")), []byte(`]}`))
}

// compareReaders holds the reader that services use to the one of jwx: what the first
// accepts, the second reads as the same keys.
func compareReaders(t *testing.T, doc []byte) {
	t.Helper()
	ours, err := jwt.ParseJWKS(doc)
	if err != nil {
		return
	}
	theirs, err := jwk.Parse(doc, jwk.WithIgnoreParseError(true))
	if err != nil {
		if len(ours.Keys()) > 0 {
			t.Fatalf("jwx refuses %q: %v", doc, err)
		}
		return
	}
	for _, key := range ours.Keys() {
		if !holds(t, theirs, key) {
			t.Errorf("jwx finds no key %q of %s in %q", key.ID, key.Algorithm, doc)
		}
	}
}

func holds(t *testing.T, set jwk.Set, key jwt.Key) bool {
	t.Helper()
	want, err := jwt.Thumbprint(key.Public)
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Len() {
		theirs, _ := set.Key(i)
		var raw any
		if err := theirs.Raw(&raw); err != nil {
			continue
		}
		if got, err := jwt.Thumbprint(raw); err == nil && got == want {
			return true
		}
	}
	return false
}

func FuzzReadersAgree(f *testing.F) {
	number := bytes.Repeat([]byte{7}, 32)
	ec, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), number)
	if err != nil {
		f.Fatal(err)
	}
	for _, key := range []jwt.Key{
		{ID: "k", Algorithm: jwt.ES256, Public: ec.Public()},
		{ID: "k", Algorithm: jwt.EdDSA, Public: ed25519.NewKeyFromSeed(number).Public()},
	} {
		text, err := keys.PublicJWK(key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(setOf(text))
		f.Add(setOf([]byte(`{"kty":"unknown"}`), text))
	}
	f.Add(setOf())
	f.Fuzz(func(t *testing.T, doc []byte) { compareReaders(t, doc) })
}

// An operator can say every key's name on a command line. Of 1,000 thumbprints, 16 begin
// with a dash.
func TestNoKeyIsNamedLikeAFlag(t *testing.T) {
	for range 1000 {
		kid, err := keys.NewKeyID(jwt.EdDSA)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(kid, "-") {
			t.Fatal(kid)
		}
	}
}

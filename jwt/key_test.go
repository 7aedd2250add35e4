package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"issuer.example/jwt"
)

func TestNewKeyPinsKindAndStrength(t *testing.T) {
	keys := loadKeys(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := keys[jwt.RS256].Public().(*rsa.PublicKey).N
	var noECDSA *ecdsa.PublicKey
	var noRSA *rsa.PublicKey
	for _, c := range []struct {
		name string
		alg  jwt.Algorithm
		pub  crypto.PublicKey
	}{
		{"P-384 for ES256", jwt.ES256, p384.Public()},
		{"RSA for ES256", jwt.ES256, keys[jwt.RS256].Public()},
		{"P-256 for EdDSA", jwt.EdDSA, keys[jwt.ES256].Public()},
		{"P-256 for RS256", jwt.RS256, keys[jwt.ES256].Public()},
		{"Ed25519 for RS256", jwt.RS256, keys[jwt.EdDSA].Public()},
		{"short Ed25519", jwt.EdDSA, ed25519.PublicKey(make([]byte, 31))},
		{"RSA of 1,024 bits", jwt.RS256, &rsa.PublicKey{N: new(big.Int).Rsh(n, 1024), E: 65537}},
		{"RSA of 2,047 bits", jwt.RS256, &rsa.PublicKey{N: new(big.Int).Rsh(n, 1), E: 65537}},
		{"RSA of 8,193 bits", jwt.RS256, &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int), 8192, 1), E: 65537}},
		{"RSA with exponent 1", jwt.RS256, &rsa.PublicKey{N: n, E: 1}},
		{"RSA with exponent 3", jwt.RS256, &rsa.PublicKey{N: n, E: 3}},
		{"RSA with an even exponent", jwt.RS256, &rsa.PublicKey{N: n, E: 65538}},
		{"RSA without modulus", jwt.RS256, &rsa.PublicKey{E: 65537}},
		{"no ECDSA key", jwt.ES256, noECDSA},
		{"no RSA key", jwt.RS256, noRSA},
		{"nothing", jwt.ES256, nil},
		{"a secret", "HS256", []byte("secret")},
		{"none", "none", nil},
		{"PS256", "PS256", keys[jwt.RS256].Public()},
		{"a private key", jwt.ES256, keys[jwt.ES256]},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := jwt.NewKey("k", c.alg, c.pub); !errors.Is(err, jwt.ErrKey) {
				t.Errorf("%v, want ErrKey", err)
			}
		})
	}
}

func TestNewKeyRefusesPointsOffTheCurve(t *testing.T) {
	good := loadKeys(t)[jwt.ES256].Public().(*ecdsa.PublicKey)
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)} //nolint:staticcheck // what an encoder would not make
	for _, pub := range []*ecdsa.PublicKey{off, {Curve: elliptic.P256()}} {
		if _, err := jwt.NewKey("k", jwt.ES256, pub); !errors.Is(err, jwt.ErrKey) {
			t.Errorf("%v, want ErrKey", err)
		}
	}
	if _, err := jwt.NewKey("k", jwt.ES256, good); err != nil {
		t.Error(err)
	}
}

func TestKeyIDs(t *testing.T) {
	pub := loadKeys(t)[jwt.EdDSA].Public()
	for _, id := range []string{"with space", "new\nline", "\x00", "ключ", strings.Repeat("k", 129)} {
		if _, err := jwt.NewKey(id, jwt.EdDSA, pub); !errors.Is(err, jwt.ErrKey) {
			t.Errorf("id %q: %v, want ErrKey", id, err)
		}
	}
	key, err := jwt.NewKey("", jwt.EdDSA, pub)
	if err != nil || key.ID != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("a key without id is %q, %v, want its thumbprint", key.ID, err)
	}
}

// A key does not change with the slice that it was made from.
func TestKeyIsACopy(t *testing.T) {
	pub := slices.Clone(loadKeys(t)[jwt.EdDSA].Public().(ed25519.PublicKey))
	key, err := jwt.NewKey("", jwt.EdDSA, pub)
	if err != nil {
		t.Fatal(err)
	}
	pub[0] ^= 1
	if thumbprint, err := jwt.Thumbprint(key.Public); err != nil || thumbprint != key.ID {
		t.Errorf("thumbprint %s, %v, want %s", thumbprint, err, key.ID)
	}
}

func TestKeySet(t *testing.T) {
	set := loadKeys(t).set(t)
	keys := set.Keys()
	if len(keys) != 3 {
		t.Fatalf("%d keys, want 3", len(keys))
	}
	for _, want := range keys {
		if got, ok := set.Key(want.ID); !ok || got.Algorithm != want.Algorithm {
			t.Errorf("key %s: %v, %v", want.ID, got, ok)
		}
	}
	if _, ok := set.Key("unknown"); ok {
		t.Error("an unknown id has a key")
	}
	keys[0] = jwt.Key{}
	if set.Keys()[0].ID == "" {
		t.Error("the set changes with the slice that it gave away")
	}
	twice := []jwt.Key{keys[1], {ID: keys[1].ID, Algorithm: keys[2].Algorithm, Public: keys[2].Public}}
	if _, err := jwt.NewKeySet(twice...); !errors.Is(err, jwt.ErrKey) {
		t.Errorf("two keys of one id: %v, want ErrKey", err)
	}
	if _, err := jwt.NewKeySet(jwt.Key{ID: "k", Algorithm: jwt.ES256, Public: keys[2].Public}); !errors.Is(err, jwt.ErrKey) {
		t.Errorf("a key made by hand with the wrong kind: %v, want ErrKey", err)
	}
}

// looseKeys answers with the key that it is, unchecked.
type looseKeys jwt.Key

func (k looseKeys) Key(string) (jwt.Key, bool) { return jwt.Key(k), true }

// Whoever implements Keys can't loosen the pin of algorithm to kind of key.
func TestKeysOfOthersArePinnedToo(t *testing.T) {
	keys := loadKeys(t)
	token, err := keys.signer(t, jwt.ES256).Mint(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) {
		c.Keys = looseKeys{ID: "k", Algorithm: jwt.ES256, Public: keys[jwt.RS256].Public()}
	})
	if _, err := verifier.Verify(token); !errors.Is(err, jwt.ErrKey) {
		t.Errorf("an RSA key for ES256: %v, want ErrKey", err)
	}
	verifier = newVerifier(t, func(c *jwt.VerifierConfig) { c.Keys = looseKeys{} })
	if _, err := verifier.Verify(token); !errors.Is(err, jwt.ErrKeyMismatch) {
		t.Errorf("an empty key: %v, want ErrKeyMismatch", err)
	}
}

// A token must name its key, even where the keys would answer to an empty id.
func TestMissingKeyID(t *testing.T) {
	keys := loadKeys(t)
	anyID := looseKeys(keys.signer(t, jwt.EdDSA).Key())
	for _, header := range []string{`{"alg":"EdDSA"}`, `{"alg":"EdDSA","kid":""}`} {
		_, _, err := jwt.VerifySignature(signRaw(t, keys[jwt.EdDSA], header, "any bytes"), anyID)
		if !errors.Is(err, jwt.ErrKeyID) {
			t.Errorf("%s: %v, want ErrKeyID", header, err)
		}
	}
}

package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
)

// sealedDocument is the stored document without the secret.
type sealedDocument struct {
	Schema int             `json:"schema"`
	MAC    string          `json:"mac"`
	Set    json.RawMessage `json:"set"`
}

type sealedSet struct {
	Keys []struct {
		Kid    string `json:"kid"`
		Sealed string `json:"sealed"`
	} `json:"keys"`
}

// private decrypts every key of a document and returns the private numbers.
func private(t *testing.T, document []byte, s secret.Secret) (numbers [][]byte) {
	t.Helper()
	var doc sealedDocument
	var set sealedSet
	if err := errors.Join(json.Unmarshal(document, &doc), json.Unmarshal(doc.Set, &set)); err != nil {
		t.Fatal(err)
	}
	key := s.Derive("key encryption")
	for _, k := range set.Keys {
		if k.Sealed == "" {
			continue
		}
		plain, err := jwe.Decrypt([]byte(k.Sealed), jwe.WithKey(jwa.DIRECT, key[:]))
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(plain, &members); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if text, ok := members[name].(string); ok {
				number, err := base64.RawURLEncoding.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				numbers = append(numbers, number)
			}
		}
	}
	return numbers
}

// Row O03: the file without the secret reveals no private key.
func TestNoPrivateKeyOnDisk(t *testing.T) {
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256} {
		t.Run(string(alg), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "issuer.db")
			db := openBolt(t, path)
			cfg := config(t, db, newClock())
			cfg.Algorithm = alg
			open(t, cfg)
			stored, err := db.LoadKeys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			numbers := private(t, stored.Document, cfg.Secrets[0])
			if len(numbers) == 0 {
				t.Fatal("no private number was found to look for")
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, number := range numbers {
				for form, text := range map[string]string{
					"bytes": string(number), "hex": hex.EncodeToString(number),
					"base64url": base64.RawURLEncoding.EncodeToString(number), "base64": base64.RawStdEncoding.EncodeToString(number),
				} {
					if bytes.Contains(file, []byte(text)) {
						t.Errorf("the file holds a private number as %s", form)
					}
				}
			}
		})
	}
}

func TestRetiredKeyIsErased(t *testing.T) {
	c := newClock()
	s := newStore(t)
	cfg := config(t, s, c)
	m := open(t, cfg)
	rotate(t, m)
	if n := len(private(t, s.stored(t).Document, cfg.Secrets[0])); n != 2 {
		t.Fatalf("%d private keys are stored, want 2", n)
	}
	c.Add(time.Hour)
	step(t, m)
	if n := len(private(t, s.stored(t).Document, cfg.Secrets[0])); n != 1 {
		t.Errorf("%d private keys are stored after the promotion, want 1", n)
	}
}

func TestWrongSecret(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	kid := kidOf(t, open(t, cfg))
	before := s.stored(t)
	for range 300 { // some have the same ID as the right one
		cfg.Secrets = []secret.Secret{newSecret(t)}
		m, err := keys.Open(context.Background(), cfg)
		if !errors.Is(err, keys.ErrWrongSecret) || m != nil {
			t.Fatalf("error %v, want ErrWrongSecret", err)
		}
		if message := err.Error(); !strings.Contains(message, kid) || !strings.Contains(message, "configure the secret") {
			t.Fatalf("%q does not say which key and what to do", message)
		}
	}
	if diff := cmp.Diff(before, s.stored(t)); diff != "" {
		t.Errorf("a refused start changed the store: %s", diff)
	}
}

// A running issuer keeps its keys when another one encrypts with a secret that it lacks.
func TestWrongSecretWhileRunning(t *testing.T) {
	s := newStore(t)
	c := newClock()
	cfg := config(t, s, c)
	m := open(t, cfg)
	list := m.List()
	cfg.Secrets = []secret.Secret{newSecret(t), cfg.Secrets[0]}
	open(t, cfg)
	if err := m.Step(context.Background()); !errors.Is(err, keys.ErrWrongSecret) {
		t.Errorf("error %v, want ErrWrongSecret", err)
	}
	if diff := cmp.Diff(list, m.List()); diff != "" {
		t.Errorf("a failed step changed what is known: %s", diff)
	}
}

// After one start with a new first secret the old one is no longer needed.
func TestSecretRotation(t *testing.T) {
	s := newStore(t)
	c := newClock()
	cfg := config(t, s, c)
	older, newer := cfg.Secrets[0], newSecret(t)
	m := open(t, cfg)
	rotate(t, m)
	list := m.List()

	cfg.Secrets = []secret.Secret{older, newer} // first add it everywhere
	open(t, cfg)
	if v := s.stored(t).Version; v != 2 {
		t.Errorf("a start without need stored version %d", v)
	}
	cfg.Secrets = []secret.Secret{newer, older}
	open(t, cfg)
	cfg.Secrets = []secret.Secret{newer}
	m = open(t, cfg)
	if diff := cmp.Diff(list, m.List()); diff != "" {
		t.Error(diff)
	}
	if err := verify(mint(t, m, c, time.Second), m, c); err != nil {
		t.Error(err)
	}
	if n := len(private(t, s.stored(t).Document, newer)); n != 2 {
		t.Errorf("%d keys are under the new secret, want 2", n)
	}
	cfg.Secrets = []secret.Secret{older}
	if _, err := keys.Open(context.Background(), cfg); !errors.Is(err, keys.ErrWrongSecret) {
		t.Errorf("with the old secret: %v", err)
	}
}

// Without the secret nobody can add a key, exchange two, or restore one.
func TestChangedDocument(t *testing.T) {
	s := newStore(t)
	c := newClock()
	cfg := config(t, s, c)
	m := open(t, cfg)
	rotate(t, m)
	good := s.stored(t).Document
	other := newStore(t)
	cfgOther := cfg
	cfgOther.Store = other
	rotate(t, open(t, cfgOther))
	var doc, foreign sealedDocument
	if err := errors.Join(json.Unmarshal(good, &doc), json.Unmarshal(other.stored(t).Document, &foreign)); err != nil {
		t.Fatal(err)
	}
	replaced := func(old, with string) []byte {
		t.Helper()
		changed := bytes.Replace(good, []byte(old), []byte(with), 1)
		if bytes.Equal(changed, good) {
			t.Fatalf("%q is not in the document", old)
		}
		return changed
	}
	swappedSet := doc
	swappedSet.Set = foreign.Set
	mixed, err := json.Marshal(swappedSet)
	if err != nil {
		t.Fatal(err)
	}
	active, pending := one(t, m, keys.Active).ID, one(t, m, keys.Pending).ID
	swapped := slices.Concat(good)
	swapped = bytes.ReplaceAll(swapped, []byte(`"kid":"`+active), []byte(`"kid":"?`))
	swapped = bytes.ReplaceAll(swapped, []byte(`"kid":"`+pending), []byte(`"kid":"`+active))
	swapped = bytes.ReplaceAll(swapped, []byte(`"kid":"?`), []byte(`"kid":"`+pending))

	tests := []struct {
		name     string
		document []byte
		want     error
	}{
		{"newer schema", replaced(`"schema":1`, `"schema":2`), keys.ErrNewerSchema},
		{"schema zero", replaced(`"schema":1`, `"schema":0`), keys.ErrDocument},
		{"empty", []byte{}, keys.ErrDocument},
		{"truncated", good[:len(good)/2], keys.ErrDocument},
		{"of another program", []byte("SQLite format 3\x00"), keys.ErrDocument},
		{"too large", append(bytes.Repeat([]byte(" "), 1<<20), good...), keys.ErrDocument},
		{"without code", replaced(doc.MAC, ""), keys.ErrDocument},
		{"another time", replaced(`"published_at":"2026`, `"published_at":"2016`), keys.ErrDocument},
		{"another state", replaced(`"state":"pending"`, `"state":"gone"`), keys.ErrDocument},
		{"unknown state", replaced(`"state":"pending"`, `"state":"asleep"`), keys.ErrDocument},
		{"two active", replaced(`"state":"pending"`, `"state":"active"`), keys.ErrDocument},
		{"kids exchanged", swapped, keys.ErrDocument},
		{"the set of another store", mixed, keys.ErrDocument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t)
			if err := s.SwapKeys(t.Context(), 0, tt.document, nil); err != nil {
				t.Fatal(err)
			}
			cfg.Store = s
			if m, err := keys.Open(context.Background(), cfg); !errors.Is(err, tt.want) || m != nil {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if v := s.stored(t).Version; v != 1 {
				t.Error("the refused document was replaced")
			}
		})
	}
}

// A ciphertext is accepted only for its own key, even with a valid MAC.
func TestSealBelongsToItsKey(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	m := open(t, cfg)
	rotate(t, m)
	active, pending := one(t, m, keys.Active).ID, one(t, m, keys.Pending).ID
	changed := bytes.ReplaceAll(s.stored(t).Document, []byte(`"kid":"`+pending), []byte(`"kid":"elsewhere`))
	err := keys.Decode(changed, cfg.Secrets...)
	if !errors.Is(err, keys.ErrDocument) || !strings.Contains(err.Error(), "private key of another") {
		t.Errorf("error %v does not say that a key has the private key of another", err)
	}
	if strings.Contains(err.Error(), active) {
		t.Errorf("%q blames the good key", err)
	}
}

// The algorithms are pinned: a JWE with others is not decrypted.
func TestSealAlgorithmIsPinned(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	open(t, cfg)
	good := s.stored(t).Document
	var doc sealedDocument
	var set sealedSet
	if err := errors.Join(json.Unmarshal(good, &doc), json.Unmarshal(doc.Set, &set)); err != nil {
		t.Fatal(err)
	}
	key := cfg.Secrets[0].Derive("key encryption")
	plain, err := jwe.Decrypt([]byte(set.Keys[0].Sealed), jwe.WithKey(jwa.DIRECT, key[:]))
	if err != nil {
		t.Fatal(err)
	}
	headers := jwe.NewHeaders()
	if err := headers.Set(jwe.KeyIDKey, fmt.Sprintf("%02x", cfg.Secrets[0].ID())); err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string][]jwe.EncryptOption{
		"wrapped":    {jwe.WithKey(jwa.A256KW, key[:])},
		"CBC":        {jwe.WithKey(jwa.DIRECT, key[:]), jwe.WithContentEncryption(jwa.A128CBC_HS256)},
		"compressed": {jwe.WithKey(jwa.DIRECT, key[:]), jwe.WithCompress(jwa.Deflate)},
		"PBES2":      {jwe.WithKey(jwa.PBES2_HS256_A128KW, key[:])},
	} {
		t.Run(name, func(t *testing.T) {
			sealed, err := jwe.Encrypt(plain, append(options, jwe.WithProtectedHeaders(headers))...)
			if err != nil {
				t.Fatal(err)
			}
			s := newStore(t)
			if err := s.SwapKeys(t.Context(), 0, bytes.Replace(good, []byte(set.Keys[0].Sealed), sealed, 1), nil); err != nil {
				t.Fatal(err)
			}
			cfg := cfg
			cfg.Store = s
			if _, err := keys.Open(context.Background(), cfg); !errors.Is(err, keys.ErrWrongSecret) {
				t.Errorf("error %v, want ErrWrongSecret", err)
			}
		})
	}
}

// Printing a manager or its configuration shows no part of a key or a secret.
func TestNothingIsPrinted(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	m := open(t, cfg)
	numbers := private(t, s.stored(t).Document, cfg.Secrets[0])
	cfg.Store, cfg.Now = nil, nil
	out := fmt.Sprintf("%v %+v %#v %+v %v %+v %s", cfg, cfg, cfg, m, m.List(), m.JWKS(), m.JWKS().Body)
	for _, number := range numbers {
		for _, form := range []string{hex.EncodeToString(number), base64.RawURLEncoding.EncodeToString(number), fmt.Sprint(number)} {
			if strings.Contains(out, form) {
				t.Error("a private number is printed")
			}
		}
	}
	if _, err := jwk.Parse(m.JWKS().Body); err != nil {
		t.Error(err)
	}
}

package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"issuer.example/jwt"
)

const (
	issuer   = "https://issuer.example"
	audience = "https://api.example"
	start    = 1772366400 // 2026-03-01 12:00:00 UTC
)

var algorithms = []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256}

// testKeys are the published example keys of testdata/vectors/jws-keys.json.
type testKeys map[jwt.Algorithm]crypto.Signer

func loadKeys(tb testing.TB) testKeys {
	tb.Helper()
	var file struct {
		Keys []struct {
			Alg jwt.Algorithm     `json:"alg"`
			JWK map[string]string `json:"jwk"`
		} `json:"keys"`
	}
	readVectors(tb, "jws-keys.json", &file)
	keys := testKeys{}
	for _, k := range file.Keys {
		member := func(name string) []byte { return unbase64(tb, k.JWK[name]) }
		switch k.Alg {
		case jwt.ES256:
			private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), member("d"))
			if err != nil {
				tb.Fatal(err)
			}
			keys[k.Alg] = private
		case jwt.EdDSA:
			keys[k.Alg] = ed25519.NewKeyFromSeed(member("d"))
		case jwt.RS256:
			number := func(name string) *big.Int { return new(big.Int).SetBytes(member(name)) }
			private := &rsa.PrivateKey{
				PublicKey: rsa.PublicKey{N: number("n"), E: int(number("e").Int64())},
				D:         number("d"),
				Primes:    []*big.Int{number("p"), number("q")},
			}
			private.Precompute()
			keys[k.Alg] = private
		}
	}
	return keys
}

func readVectors(tb testing.TB, name string, into any) {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", name))
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		tb.Fatal(err)
	}
}

func (k testKeys) signer(tb testing.TB, alg jwt.Algorithm) *jwt.Signer {
	tb.Helper()
	signer, err := jwt.NewSigner("", alg, k[alg])
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

func (k testKeys) set(tb testing.TB) *jwt.KeySet {
	tb.Helper()
	var keys []jwt.Key
	for _, alg := range algorithms {
		keys = append(keys, k.signer(tb, alg).Key())
	}
	set, err := jwt.NewKeySet(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

func newVerifier(tb testing.TB, change func(*jwt.VerifierConfig)) *jwt.Verifier {
	tb.Helper()
	config := jwt.VerifierConfig{
		Issuer:      issuer,
		Audience:    []string{audience},
		MaxLifetime: time.Hour,
		Keys:        loadKeys(tb).set(tb),
		Now:         func() time.Time { return time.Unix(start, 0) },
	}
	if change != nil {
		change(&config)
	}
	verifier, err := jwt.NewVerifier(config)
	if err != nil {
		tb.Fatal(err)
	}
	return verifier
}

func goodClaims() *jwt.Claims {
	at := time.Unix(start, 0).UTC()
	return &jwt.Claims{
		Issuer:    issuer,
		Subject:   "u1",
		Audience:  []string{audience},
		IssuedAt:  at,
		Expiry:    at.Add(5 * time.Minute),
		AuthTime:  at,
		ID:        "0196b2d0-0000-7000-8000-000000000001",
		SessionID: "0196b2d0-0000-7000-8000-000000000002",
		ClientID:  "app",
	}
}

// signRaw signs any header and payload. The same input gives the same token: ECDSA is
// deterministic here (RFC 6979).
func signRaw(tb testing.TB, private crypto.Signer, header, payload string) string {
	tb.Helper()
	input := encode(header) + "." + encode(payload)
	return input + "." + encode(string(signature(tb, private, input)))
}

func signature(tb testing.TB, private crypto.Signer, input string) []byte {
	tb.Helper()
	digest := sha256.Sum256([]byte(input))
	message, hash := digest[:], crypto.SHA256
	if _, ok := private.(ed25519.PrivateKey); ok {
		message, hash = []byte(input), crypto.Hash(0)
	}
	raw, err := private.Sign(nil, message, hash)
	if err != nil {
		tb.Fatal(err)
	}
	if _, ok := private.(*ecdsa.PrivateKey); !ok {
		return raw
	}
	r, s := parseDER(tb, raw)
	return rs(r, s)
}

func parseDER(tb testing.TB, der []byte) (r, s *big.Int) {
	tb.Helper()
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		tb.Fatal(err)
	}
	return pair.R, pair.S
}

// rs is the JWS form of an ECDSA signature.
func rs(r, s *big.Int) []byte {
	return slices.Concat(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))
}

func encode(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }

func unbase64(tb testing.TB, text string) []byte {
	tb.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// object is a JSON object as raw members in order, so that a test can write what no
// encoder would.
type object []string

func goodPayload() object {
	return object{
		"iss", `"https://issuer.example"`, "sub", `"u1"`, "aud", `["https://api.example"]`, "client_id", `"app"`,
		"iat", "1772366400", "exp", "1772366700", "jti", `"j1"`, "sid", `"s1"`,
	}
}

// with returns the object with another value for one member, which is added if it is not
// there.
func (o object) with(name, value string) object {
	changed := slices.Clone(o)
	for i := 0; i < len(o); i += 2 {
		if o[i] == name {
			changed[i+1] = value
			return changed
		}
	}
	return append(changed, name, value)
}

// and returns the object with one more member, even if it has that name already.
func (o object) and(name, value string) object { return append(slices.Clone(o), name, value) }

func (o object) without(name string) object {
	i := slices.Index(o, name)
	return slices.Delete(slices.Clone(o), i, i+2)
}

func (o object) String() string {
	var text strings.Builder
	for i := 0; i < len(o); i += 2 {
		text.WriteString(`,"` + o[i] + `":` + o[i+1])
	}
	return "{" + strings.TrimPrefix(text.String(), ",") + "}"
}

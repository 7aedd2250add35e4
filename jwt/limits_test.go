package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"issuer.example/jwt"
)

// The largest allowed values are minted and verified.
func TestLargestClaims(t *testing.T) {
	claims := goodClaims()
	longest := strings.Repeat("é", 127) + "x" // 255 bytes
	claims.Subject, claims.ID, claims.SessionID, claims.ClientID, claims.ACR = longest, longest, longest, longest, longest
	claims.Audience = slices.Repeat([]string{audience}, 16)
	claims.AMR = slices.Repeat([]string{"m"}, 16)
	claims.Expiry = time.Unix(253402300799, 0) // the end of the year 9999
	token, err := loadKeys(t).signer(t, jwt.ES256).Mint(claims)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newVerifier(t, func(c *jwt.VerifierConfig) { c.MaxLifetime = 0 }).Verify(token); err != nil {
		t.Error(err)
	}
	claims.IssuedAt, claims.AuthTime, claims.NotBefore = time.Unix(1, 0), time.Unix(1, 0), time.Unix(1, 0)
	if _, err := loadKeys(t).signer(t, jwt.ES256).Mint(claims); err != nil {
		t.Errorf("the first second of 1970: %v", err)
	}
}

// A list of strings has no other values, wherever its quotes and brackets are.
func TestListsHoldOnlyStrings(t *testing.T) {
	keys := loadKeys(t)
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) { c.Audience, c.AnyAudience = nil, true })
	header := `{"alg":"ES256","kid":"` + keys.signer(t, jwt.ES256).Key().ID + `","typ":"at+jwt"}`
	for name, sentinel := range map[string]error{"aud": jwt.ErrAudience, "amr": jwt.ErrClaims} {
		for _, list := range []string{`[1,"]"]`, `["a",1]`, `["a",["b"]]`, `[null,"]"]`, `[]`, `[ ]`, `[""]`, `{"a":"b"}`} {
			payload := goodPayload().with(name, list).String()
			if _, err := verifier.Verify(signRaw(t, keys[jwt.ES256], header, payload)); !errors.Is(err, sentinel) {
				t.Errorf("%s %s: %v, want %v", name, list, err, sentinel)
			}
		}
		payload := goodPayload().with(name, "[ \"a\"\t,\n\"b\" ]").String()
		if _, err := verifier.Verify(signRaw(t, keys[jwt.ES256], header, payload)); err != nil {
			t.Errorf("%s with white space: %v", name, err)
		}
	}
}

// Each of these is one character away from JSON.
func TestAlmostJSON(t *testing.T) {
	for _, text := range []string{
		"{\"a\t:1}", "[\"a\n]", `"\ud83d\xde00"`, `{xa":1}`, `{"a"x:1}`, `{"a"x1}`, `["a":1}`, `x"a":1}`, `{"a":1]`, `["a"}`,
		`"\u00:0"`, `"\u00@0"`, `"\u00g0"`, "\"\\u00`0\"", `"\u00/0"`, `"\u 000"`, `"\u000`, `"\`, `"\u0`,
		`"\ud800\u0041"`, `"\ud800x"`, `"\udc00\ud800"`, `"\uD800\uE000"`,
		"\"\x1f\"", `1.`, `.1`, `-`, `1e`, `1e+`, `01`, `+1`, `truex`, `nul`,
	} {
		if err := jwt.CheckJSON([]byte(text), 2); !errors.Is(err, jwt.ErrJSON) {
			t.Errorf("%s: %v, want ErrJSON", text, err)
		}
		if err := jwt.CheckExtra([]byte(text)); !errors.Is(err, jwt.ErrClaims) {
			t.Errorf("%s as claims: %v, want ErrClaims", text, err)
		}
	}
	for _, text := range []string{
		`"\ud83d\ude00"`, `"\uABcd\u00e9\/\b\f\n\r\t\"\\"`, `-0.5e-3`, `1E+2`, ` [ [ ] , { } ] `, "\"\x7f \"", `0`,
		strings.Repeat("1", 64),
	} {
		if err := jwt.CheckJSON([]byte(text), 2); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, depth := range map[string]int{`[[]]`: 1, `{"a":{}}`: 1, `[]`: 0, `[{"a":[]}]`: 2} {
		if err := jwt.CheckJSON([]byte(text), depth); !errors.Is(err, jwt.ErrJSON) {
			t.Errorf("%s with %d levels: %v, want ErrJSON", text, depth, err)
		}
		if err := jwt.CheckJSON([]byte(text), depth+1); err != nil {
			t.Errorf("%s with %d levels: %v", text, depth+1, err)
		}
	}
}

func TestKeyIDCharacters(t *testing.T) {
	public := loadKeys(t)[jwt.ES256].Public()
	for id, good := range map[string]bool{
		"!": true, "~": true, strings.Repeat("k", 128): true,
		" ": false, "\x7f": false, "k\n": false, strings.Repeat("k", 129): false,
	} {
		if _, err := jwt.NewKey(id, jwt.ES256, public); good != (err == nil) || !good && !errors.Is(err, jwt.ErrKey) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

// A malformed kid is refused as that, before any key is looked up.
func TestKeyIDOfToken(t *testing.T) {
	keys := loadKeys(t)
	anyID := looseKeys(keys.signer(t, jwt.EdDSA).Key())
	for id, want := range map[string]error{
		"~": nil, strings.Repeat("k", 128): nil, "k k": jwt.ErrKeyID, "é": jwt.ErrKeyID, strings.Repeat("k", 129): jwt.ErrKeyID,
	} {
		token := signRaw(t, keys[jwt.EdDSA], `{"alg":"EdDSA","kid":"`+id+`"}`, "x")
		if _, _, err := jwt.VerifySignature(token, anyID); !errors.Is(err, want) {
			t.Errorf("kid %q: %v, want %v", id, err, want)
		}
	}
	long := strings.Repeat("t", 128)
	text, err := keys.signer(t, jwt.EdDSA).Sign(long, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.VerifyDocument([]byte(text), anyID, long, len(text)); err != nil {
		t.Errorf("a typ of 128 bytes: %v", err)
	}
}

// Names that differ in the case of any letter are duplicates.
func TestDuplicateLetters(t *testing.T) {
	for lower := 'a'; lower <= 'z'; lower++ {
		upper := lower - 'a' + 'A'
		if err := jwt.CheckJSON(fmt.Appendf(nil, `{"%c":1,"%c":2}`, lower, upper), 1); !errors.Is(err, jwt.ErrDuplicate) {
			t.Errorf("%c and %c: %v, want ErrDuplicate", lower, upper, err)
		}
	}
	if err := jwt.CheckJSON([]byte("{\"{\":1,\"[\":2,\"@\":3,\"`\":4}"), 1); err != nil {
		t.Errorf("neighbours of letters: %v", err)
	}
}

func TestJWKSLimits(t *testing.T) {
	keys := make([]string, jwt.MaxJWKSKeys)
	for i := range keys {
		keys[i] = fmt.Sprintf(`%s,"kid":"%d"`, okpMembers, i)
	}
	if set, err := jwt.ParseJWKS([]byte(jwks(keys...))); err != nil || len(set.Keys()) != jwt.MaxJWKSKeys {
		t.Errorf("%d keys: %v", len(keys), err)
	}
	n := encode(string(append([]byte{0x80}, append(make([]byte, 254), 1)...)))
	for e, good := range map[string]bool{"AQAAAQ": true, "f____w": true, "gAAAAQ": false, "AQAAAAE": false} {
		_, err := jwt.ParseJWKS([]byte(jwks(`"kty":"RSA","n":"` + n + `","e":"` + e + `"`)))
		if good != (err == nil) || !good && !errors.Is(err, jwt.ErrKey) {
			t.Errorf("exponent %s: %v", e, err)
		}
	}
}

func TestRSALimits(t *testing.T) {
	modulus := func(bits int) *big.Int {
		n := new(big.Int).SetBit(new(big.Int), bits-1, 1)
		return n.SetBit(n, 0, 1)
	}
	for _, bits := range []int{jwt.MinRSABits, 8192} {
		if _, err := jwt.NewKey("k", jwt.RS256, &rsa.PublicKey{N: modulus(bits), E: 65537}); err != nil {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
	if _, err := jwt.NewKey("k", jwt.RS256, &rsa.PublicKey{N: modulus(2048), E: 65539}); err != nil {
		t.Errorf("exponent 65,539: %v", err)
	}
}

func TestThumbprintRefuses(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var noRSA *rsa.PublicKey
	for name, pub := range map[string]crypto.PublicKey{
		"nothing": nil, "no RSA key": noRSA, "RSA without modulus": &rsa.PublicKey{E: 65537},
		"P-384": p384.Public(), "short Ed25519": ed25519.PublicKey(make([]byte, 31)), "a secret": []byte("secret"),
	} {
		if _, err := jwt.Thumbprint(pub); !errors.Is(err, jwt.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		}
	}
}

// failing is a key in a hardware module that fails.
type failing struct{ crypto.Signer }

var errModule = errors.New("the module does not answer")

func (failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errModule }

func TestFailingSigner(t *testing.T) {
	keys := loadKeys(t)
	for _, alg := range algorithms {
		signer, err := jwt.NewSigner("", alg, failing{keys[alg]})
		if err != nil {
			t.Fatal(err)
		}
		if token, err := signer.Mint(goodClaims()); !errors.Is(err, errModule) || token != "" {
			t.Errorf("%s: %q, %v; want the module's error", alg, token, err)
		}
	}
}

// The default clock of a verifier is time.Now.
func TestVerifierUsesTheClock(t *testing.T) {
	signer := loadKeys(t).signer(t, jwt.ES256)
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) { c.Now = nil })
	for age, want := range map[time.Duration]error{0: nil, 10 * time.Minute: jwt.ErrExpired, -time.Hour: jwt.ErrIssuedAt} {
		claims := goodClaims()
		claims.IssuedAt = time.Now().Add(-age)
		claims.Expiry = claims.IssuedAt.Add(5 * time.Minute)
		token, err := signer.Mint(claims)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(token); !errors.Is(err, want) {
			t.Errorf("a token of %v ago: %v, want %v", age, err, want)
		}
	}
}

package jwt_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/jwt"
)

// The exact bytes, which third-party verifiers read.
func TestMintedToken(t *testing.T) {
	claims := goodClaims()
	claims.NotBefore = claims.IssuedAt
	claims.ACR, claims.AMR = "urn:mfa", []string{"pwd", "otp"}
	claims.Subject = "Zoë \"\\/\u2028"
	claims.Extra = map[string]json.RawMessage{"email": json.RawMessage(`"a@b.example"`), "a": json.RawMessage(`{"n": 1.0}`)}
	token, err := loadKeys(t).signer(t, jwt.EdDSA).Mint(claims)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	for i, want := range []string{
		`{"alg":"EdDSA","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","typ":"at+jwt"}`,
		`{"iss":"https://issuer.example","sub":"Zoë \"\\/` + "\u2028" + `","aud":["https://api.example"],"client_id":"app",` +
			`"iat":1772366400,"nbf":1772366400,"exp":1772366700,"jti":"0196b2d0-0000-7000-8000-000000000001",` +
			`"sid":"0196b2d0-0000-7000-8000-000000000002","auth_time":1772366400,"acr":"urn:mfa","amr":["pwd","otp"],` +
			`"a":{"n": 1.0},"email":"a@b.example"}`,
	} {
		if diff := cmp.Diff(want, string(unbase64(t, parts[i]))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMintRefuses(t *testing.T) {
	signer := loadKeys(t).signer(t, jwt.ES256)
	extra := func(name, value string) func(*jwt.Claims) {
		return func(c *jwt.Claims) { c.Extra = map[string]json.RawMessage{name: json.RawMessage(value)} }
	}
	for _, c := range []struct {
		name   string
		change func(*jwt.Claims)
		want   error
	}{
		{"no issuer", func(c *jwt.Claims) { c.Issuer = "" }, jwt.ErrIssuer},
		{"issuer not UTF-8", func(c *jwt.Claims) { c.Issuer = "\xff" }, jwt.ErrIssuer},
		{"no subject", func(c *jwt.Claims) { c.Subject = "" }, jwt.ErrClaims},
		{"subject of 256 bytes", func(c *jwt.Claims) { c.Subject = strings.Repeat("u", 256) }, jwt.ErrClaims},
		{"subject with NUL", func(c *jwt.Claims) { c.Subject = "u\x00" }, jwt.ErrClaims},
		{"no audience", func(c *jwt.Claims) { c.Audience = nil }, jwt.ErrAudience},
		{"an empty audience", func(c *jwt.Claims) { c.Audience = []string{""} }, jwt.ErrAudience},
		{"audience not UTF-8", func(c *jwt.Claims) { c.Audience = []string{"\xff"} }, jwt.ErrAudience},
		{"17 audiences", func(c *jwt.Claims) { c.Audience = make([]string, 17) }, jwt.ErrAudience},
		{"no jti", func(c *jwt.Claims) { c.ID = "" }, jwt.ErrClaims},
		{"sid not UTF-8", func(c *jwt.Claims) { c.SessionID = "\xff" }, jwt.ErrClaims},
		{"17 methods", func(c *jwt.Claims) { c.AMR = make([]string, 17) }, jwt.ErrClaims},
		{"an empty method", func(c *jwt.Claims) { c.AMR = []string{""} }, jwt.ErrClaims},
		{"no iat", func(c *jwt.Claims) { c.IssuedAt = time.Time{} }, jwt.ErrIssuedAt},
		{"no exp", func(c *jwt.Claims) { c.Expiry = time.Time{} }, jwt.ErrExpiry},
		{"exp in the year 10000", func(c *jwt.Claims) { c.Expiry = time.Unix(253402300800, 0) }, jwt.ErrExpiry},
		{"iat before 1970", func(c *jwt.Claims) { c.IssuedAt = time.Unix(-1, 0) }, jwt.ErrIssuedAt},
		{"auth_time before 1970", func(c *jwt.Claims) { c.AuthTime = time.Unix(-1, 0) }, jwt.ErrClaims},
		{"exp = iat", func(c *jwt.Claims) { c.Expiry = c.IssuedAt }, jwt.ErrLifetime},
		{"exp in the second of iat", func(c *jwt.Claims) { c.Expiry = c.IssuedAt.Add(time.Second - 1) }, jwt.ErrLifetime},
		{"extra sub", extra("sub", `"root"`), jwt.ErrRegisteredClaim},
		{"extra SUB", extra("SUB", `"root"`), jwt.ErrRegisteredClaim},
		{"extra with a long s", extra("\u017fid", `"x"`), jwt.ErrRegisteredClaim},
		{"extra that is not JSON", extra("x", `x`), jwt.ErrClaims},
		{"extra that is nothing", extra("x", ``), jwt.ErrClaims},
		{"extra that smuggles a member", extra("x", `1,"y":2`), jwt.ErrClaims},
		{"extra that ends the object", extra("x", `1}`), jwt.ErrClaims},
		{"extra of depth 16", extra("x", strings.Repeat("[", 16)+strings.Repeat("]", 16)), jwt.ErrClaims},
		{"extra whose name is not UTF-8", extra("\xff", `1`), jwt.ErrClaims},
		{"extra of 8 KB", extra("x", `"`+strings.Repeat("x", 8<<10)+`"`), jwt.ErrSize},
		{"extras that differ in case", func(c *jwt.Claims) {
			c.Extra = map[string]json.RawMessage{"role": json.RawMessage(`1`), "Role": json.RawMessage(`2`)}
		}, jwt.ErrDuplicate},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := goodClaims()
			c.change(claims)
			if token, err := signer.Mint(claims); !errors.Is(err, c.want) || token != "" {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// opaque hides a private key, as a hardware module does.
type opaque struct {
	crypto.Signer
	spoil func([]byte) []byte
}

func (o opaque) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	sig, err := o.Signer.Sign(rand, digest, opts)
	if o.spoil != nil {
		sig = o.spoil(sig)
	}
	return sig, err
}

func TestOpaqueSigners(t *testing.T) {
	keys := loadKeys(t)
	verifier := newVerifier(t, nil)
	for _, alg := range algorithms {
		signer, err := jwt.NewSigner("", alg, opaque{Signer: keys[alg]})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // r or s is short in one of 128
			token, err := signer.Mint(goodClaims())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verifier.Verify(token); err != nil {
				t.Errorf("%s: %v", alg, err)
			}
		}
	}
}

func TestBrokenOpaqueSigner(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"not ASN.1":  func([]byte) []byte { return []byte("x") },
		"more after": func(sig []byte) []byte { return append(sig, 0) },
		"zero":       func([]byte) []byte { return []byte{0x30, 6, 2, 1, 0, 2, 1, 0} },
		"s zero":     func([]byte) []byte { return []byte{0x30, 6, 2, 1, 1, 2, 1, 0} },
		"s negative": func([]byte) []byte { return []byte{0x30, 6, 2, 1, 1, 2, 1, 0xff} },
		"negative":   func([]byte) []byte { return []byte{0x30, 6, 2, 1, 0xff, 2, 1, 1} },
		"too long":   func([]byte) []byte { return append([]byte{0x30, 38, 2, 33}, append(make33(), 2, 1, 1)...) },
	} {
		signer, err := jwt.NewSigner("", jwt.ES256, opaque{loadKeys(t)[jwt.ES256], spoil})
		if err != nil {
			t.Fatal(err)
		}
		if token, err := signer.Mint(goodClaims()); err == nil {
			t.Errorf("%s: minted %s", name, token)
		}
	}
}

func make33() []byte { return append([]byte{1}, make([]byte, 32)...) }

func TestNewSignerRefuses(t *testing.T) {
	keys := loadKeys(t)
	for name, build := range map[string]func() (*jwt.Signer, error){
		"no key":      func() (*jwt.Signer, error) { return jwt.NewSigner("k", jwt.ES256, nil) },
		"other kind":  func() (*jwt.Signer, error) { return jwt.NewSigner("k", jwt.ES256, keys[jwt.RS256]) },
		"a symmetric": func() (*jwt.Signer, error) { return jwt.NewSigner("k", "HS256", keys[jwt.RS256]) },
		"a bad id":    func() (*jwt.Signer, error) { return jwt.NewSigner("k k", jwt.ES256, keys[jwt.ES256]) },
	} {
		if _, err := build(); !errors.Is(err, jwt.ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		}
	}
}

// Sign accepts any payload, and its header is valid with every character that an id and a
// type may have.
func TestSignAnyPayload(t *testing.T) {
	keys := loadKeys(t)
	signer, err := jwt.NewSigner(`k"\<&>`, jwt.EdDSA, keys[jwt.EdDSA])
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwt.NewKeySet(signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	const typ = `secevent"\+jwt`
	for _, payload := range []string{"x", "{}", "\x00\xff", strings.Repeat("x", 5000)} {
		token, err := signer.Sign(typ, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		header, got, err := jwt.VerifySignature(token, set)
		if err != nil {
			t.Fatal(err)
		}
		if want := (jwt.Header{Algorithm: jwt.EdDSA, KeyID: `k"\<&>`, Type: typ}); header != want || string(got) != payload {
			t.Errorf("%+v, %q, want %+v, %q", header, got, want, payload)
		}
	}
	for _, typ := range []string{"", "a b", "\n", "é", strings.Repeat("t", 129)} {
		if _, err := signer.Sign(typ, []byte("x")); !errors.Is(err, jwt.ErrType) {
			t.Errorf("typ %q: %v, want ErrType", typ, err)
		}
	}
}

package jwt_test

import (
	"crypto/elliptic"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/jwt"
)

func TestMintThenVerify(t *testing.T) {
	keys := loadKeys(t)
	verifier := newVerifier(t, nil)
	for _, alg := range algorithms {
		t.Run(string(alg), func(t *testing.T) {
			token, err := keys.signer(t, alg).Mint(goodClaims())
			if err != nil {
				t.Fatal(err)
			}
			got, err := verifier.Verify(token)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(goodClaims(), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A token is valid until exp plus the leeway, to the nanosecond, and not before nbf and iat
// minus the leeway.
func TestClockSkew(t *testing.T) {
	claims := goodClaims()
	claims.NotBefore = claims.IssuedAt.Add(time.Minute)
	token, err := loadKeys(t).signer(t, jwt.ES256).Mint(claims)
	if err != nil {
		t.Fatal(err)
	}
	for _, leeway := range []time.Duration{0, time.Second, 60 * time.Second} {
		var now time.Time
		verifier := newVerifier(t, func(c *jwt.VerifierConfig) {
			c.Leeway = leeway
			c.Now = func() time.Time { return now }
		})
		for _, c := range []struct {
			name string
			at   time.Time
			want error
		}{
			{"last moment before the end", claims.Expiry.Add(leeway - 1), nil},
			{"end", claims.Expiry.Add(leeway), jwt.ErrExpired},
			{"an hour after the end", claims.Expiry.Add(time.Hour), jwt.ErrExpired},
			{"nbf", claims.NotBefore.Add(-leeway), nil},
			{"last moment before nbf", claims.NotBefore.Add(-leeway - 1), jwt.ErrNotYetValid},
			{"an hour before", claims.IssuedAt.Add(-time.Hour), jwt.ErrNotYetValid},
		} {
			t.Run(leeway.String()+" "+c.name, func(t *testing.T) {
				now = c.at
				if _, err := verifier.Verify(token); !errors.Is(err, c.want) {
					t.Errorf("at %s: %v, want %v", c.at, err, c.want)
				}
			})
		}
	}
}

// Anyone can make a second valid signature for an ES256 token. That token must have the same
// jti and sid, by which it is revoked.
func TestMalleableTwinNamesTheSameToken(t *testing.T) {
	token, err := loadKeys(t).signer(t, jwt.ES256).Mint(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	sig := unbase64(t, tail(token))
	s := new(big.Int).SetBytes(sig[32:])
	s.Sub(elliptic.P256().Params().N, s)
	twin := strings.TrimSuffix(token, tail(token)) + encode(string(sig[:32])+string(s.FillBytes(make([]byte, 32))))

	claims, err := newVerifier(t, nil).Verify(twin)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(goodClaims(), claims); diff != "" || twin == token {
		t.Errorf("the twin says something else:\n%s", diff)
	}
}

// No key is fetched from an address in a token.
func TestNoRequestForHeaderURLs(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	forge := newForge(t)
	verifier := newVerifier(t, nil)
	for _, name := range []string{"jku", "x5u", "kid"} {
		token := forge.sign(forge.header().with(name, `"`+server.URL+`"`), goodPayload())
		if _, err := verifier.Verify(token); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

func TestOtherTypesOfToken(t *testing.T) {
	keys := loadKeys(t)
	payload := goodPayload().without("sub").without("jti").String()
	token, err := keys.signer(t, jwt.ES256).Sign("Logout+JWT", []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) { c.Type = "application/logout+jwt" })
	if _, err := verifier.Verify(token); err != nil {
		t.Errorf("a token of the configured type: %v", err)
	}
	access, err := keys.signer(t, jwt.ES256).Mint(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(access); !errors.Is(err, jwt.ErrType) {
		t.Errorf("an access token there: %v, want ErrType", err)
	}
	_, err = newVerifier(t, nil).Verify(token)
	if !errors.Is(err, jwt.ErrType) {
		t.Errorf("the other way round: %v, want ErrType", err)
	}
}

func TestVerifierConfig(t *testing.T) {
	for name, change := range map[string]func(*jwt.VerifierConfig){
		"no issuer":            func(c *jwt.VerifierConfig) { c.Issuer = "" },
		"no audience":          func(c *jwt.VerifierConfig) { c.Audience = nil },
		"an empty audience":    func(c *jwt.VerifierConfig) { c.Audience = []string{audience, ""} },
		"any audience and one": func(c *jwt.VerifierConfig) { c.AnyAudience = true },
		"no keys":              func(c *jwt.VerifierConfig) { c.Keys = nil },
		"a malformed type":     func(c *jwt.VerifierConfig) { c.Type = "at jwt" },
		"a negative leeway":    func(c *jwt.VerifierConfig) { c.Leeway = -1 },
		"a leeway over 60 s":   func(c *jwt.VerifierConfig) { c.Leeway = 61 * time.Second },
		"a negative lifetime":  func(c *jwt.VerifierConfig) { c.MaxLifetime = -1 },
		"a type that is empty": func(c *jwt.VerifierConfig) { c.Type = "\x00" },
	} {
		t.Run(name, func(t *testing.T) {
			keys := loadKeys(t).set(t)
			config := jwt.VerifierConfig{Issuer: issuer, Audience: []string{audience}, Keys: keys}
			if _, err := jwt.NewVerifier(config); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			change(&config)
			if _, err := jwt.NewVerifier(config); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// AnyAudience accepts any audience and skips no other check.
func TestAnyAudience(t *testing.T) {
	forge := newForge(t)
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) { c.Audience, c.AnyAudience = nil, true })
	other := goodPayload().with("aud", `"https://other.example"`)
	for _, c := range []struct {
		name    string
		payload object
		cause   string
	}{
		{"another audience", other, ""},
		{"no audience", other.without("aud"), "aud"},
		{"a malformed one", other.with("aud", `[1]`), "aud"},
		{"another issuer", other.with("iss", `"https://other.example"`), "iss"},
		{"expired", other.with("exp", "1772366400"), "exp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkRow(t, verifier, row{Token: forge.sign(forge.header(), c.payload), Cause: c.cause})
		})
	}
}

// A later change of the configuration does not change a verifier.
// SignedClaims asks for the signature and the type of an access token, and for nothing that time or a
// configuration changes.
func TestSignedClaims(t *testing.T) {
	keys := loadKeys(t)
	signer, err := jwt.NewSigner("k", jwt.ES256, keys[jwt.ES256])
	if err != nil {
		t.Fatal(err)
	}
	published, err := jwt.NewKeySet(signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	long := time.Unix(1000, 0)
	text, err := signer.Mint(&jwt.Claims{
		Issuer: "https://old.example", Audience: []string{"x"}, Subject: "u", ID: "j", SessionID: "s",
		IssuedAt: long, Expiry: long.Add(time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := jwt.SignedClaims(text, published); err != nil || claims.SessionID != "s" {
		t.Errorf("an old token: %v", err)
	}
	other, err := signer.Sign("logout+jwt", []byte(`{"sid":"s"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"another type":      {other, jwt.ErrType},
		"another signature": {text[:len(text)-10] + "AAAAAAAAAA", jwt.ErrSignature},
		"not a token":       {"x", jwt.ErrEncoding},
	} {
		if _, err := jwt.SignedClaims(tt.text, published); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	none, err := jwt.NewKeySet()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.SignedClaims(text, none); !errors.Is(err, jwt.ErrUnknownKey) {
		t.Errorf("without the key: %v", err)
	}
}

func TestVerifierIsACopy(t *testing.T) {
	names := []string{audience}
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) { c.Audience = names })
	names[0] = "https://other.example"
	token, err := loadKeys(t).signer(t, jwt.ES256).Mint(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(token); err != nil {
		t.Error(err)
	}
}

// No error contains a part of a token.
func TestErrorsHoldNoPartOfTheToken(t *testing.T) {
	forge := newForge(t)
	verifier := newVerifier(t, nil)
	const canary = "canary-7f3a"
	text := `"` + canary + `"`
	for _, token := range []string{
		canary, canary + "." + canary + "." + canary,
		forge.sign(forge.header().with("kid", text), goodPayload()),
		forge.sign(forge.header().with("alg", text), goodPayload()),
		forge.sign(forge.header().with("typ", text), goodPayload()),
		forge.sign(forge.header().with(canary, text), goodPayload()),
		forge.sign(forge.header(), goodPayload().with("iss", text)),
		forge.sign(forge.header(), goodPayload().with("aud", text)),
		forge.sign(forge.header(), goodPayload().with("exp", text)),
		forge.sign(forge.header(), goodPayload().with("sub", `"`+canary+`\n"`)),
		forge.sign(forge.header(), goodPayload().with("x", `{"`+canary+`":1,"`+canary+`":1}`)),
		forge.sign(forge.header(), raw(canary)),
	} {
		_, err := verifier.Verify(token)
		if err == nil {
			t.Fatal("accepted")
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("error holds a part of the token: %v", err)
		}
	}
}

// The allocations of a verification are bounded: those of the algorithm plus a few.
func TestVerifyAllocations(t *testing.T) {
	keys := loadKeys(t)
	verifier := newVerifier(t, nil)
	for alg, limit := range map[jwt.Algorithm]float64{jwt.ES256: 40, jwt.EdDSA: 15, jwt.RS256: 27} {
		token, err := keys.signer(t, alg).Mint(goodClaims())
		if err != nil {
			t.Fatal(err)
		}
		allocs := testing.AllocsPerRun(50, func() {
			if _, err := verifier.Verify(token); err != nil {
				t.Error(err)
			}
		})
		if allocs > limit {
			t.Errorf("%s: %v allocations, want at most %v", alg, allocs, limit)
		}
	}
}

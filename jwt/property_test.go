package jwt_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"issuer.example/internal/rounds"
	"issuer.example/jwt"
)

// text draws what a claim may hold.
func text() *rapid.Generator[string] {
	return rapid.StringN(1, 40, 255).Filter(func(s string) bool { return jwt.ValidSubject(s) == nil })
}

func moment(from, to int64) *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(from, to), func(s int64) time.Time { return time.Unix(s, 0).UTC() })
}

// optional draws a value, or the zero value one time in a few.
func optional[T any](t *rapid.T, name string, of *rapid.Generator[T]) T {
	var zero T
	if rapid.Bool().Draw(t, "has "+name) {
		return of.Draw(t, name)
	}
	return zero
}

func drawClaims(t *rapid.T) *jwt.Claims {
	list := func(most int) *rapid.Generator[[]string] { return rapid.SliceOfN(text(), 1, most) }
	issued := moment(1, start).Draw(t, "iat")
	c := &jwt.Claims{
		Issuer:    issuer,
		Subject:   text().Draw(t, "sub"),
		Audience:  append(optional(t, "others", list(15)), audience),
		IssuedAt:  issued,
		NotBefore: optional(t, "nbf", moment(1, start)),
		Expiry:    moment(start+1, 253402300799).Draw(t, "exp"),
		AuthTime:  optional(t, "auth_time", moment(1, start)),
		ID:        text().Draw(t, "jti"),
		SessionID: optional(t, "sid", text()),
		ClientID:  optional(t, "client_id", text()),
		ACR:       optional(t, "acr", text()),
		AMR:       optional(t, "amr", list(4)),
	}
	for range rapid.IntRange(0, 5).Draw(t, "extras") {
		name := rapid.StringN(0, 20, 60).Draw(t, "name")
		taken := func(other string) bool { return strings.EqualFold(other, name) }
		if jwt.Registered(name) || slices.ContainsFunc(slices.Collect(maps.Keys(c.Extra)), taken) {
			continue
		}
		value, err := json.Marshal(rapid.OneOf(
			rapid.Map(rapid.String(), func(s string) any { return s }),
			rapid.Map(rapid.Float64(), func(f float64) any { return f }),
			rapid.Map(rapid.SliceOf(rapid.Int()), func(l []int) any { return map[string]any{"list": l, "none": nil} }),
		).Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Extra == nil {
			c.Extra = map[string]json.RawMessage{}
		}
		c.Extra[name] = value
	}
	return c
}

// What is minted is what is verified, for every algorithm.
func TestMintVerifyProperty(t *testing.T) {
	keys := loadKeys(t)
	signers := []*jwt.Signer{keys.signer(t, jwt.ES256), keys.signer(t, jwt.EdDSA)}
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) { c.MaxLifetime = 0 })
	rapid.Check(t, func(t *rapid.T) {
		claims := drawClaims(t)
		token, err := rapid.SampledFrom(signers).Draw(t, "signer").Mint(claims)
		if errors.Is(err, jwt.ErrSize) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(token) > jwt.MaxTokenSize {
			t.Fatalf("minted %d bytes, which no verifier takes", len(token))
		}
		got, err := verifier.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(claims, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// No change of one byte, no cut and no insertion leaves a token good.
func TestChangedTokenProperty(t *testing.T) {
	keys := loadKeys(t)
	verifier := newVerifier(t, nil)
	var tokens []string
	for _, alg := range algorithms {
		token, err := keys.signer(t, alg).Mint(goodClaims())
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.SampledFrom(tokens).Draw(t, "token")
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		b := string([]byte{rapid.Byte().Draw(t, "byte")})
		changed := rapid.SampledFrom([]string{
			token[:at] + b + token[at+1:],
			token[:at] + b + token[at:],
			token[:at] + token[at+1:],
			token[:at],
			token + token[at:],
		}).Draw(t, "changed")
		if changed == token {
			return
		}
		if claims, err := verifier.Verify(changed); err == nil {
			t.Fatalf("accepted %q: %+v", changed, claims)
		}
	})
}

// Every single bit of every token counts.
func TestEveryBitCounts(t *testing.T) {
	verifier := newVerifier(t, nil)
	token, err := loadKeys(t).signer(t, jwt.ES256).Mint(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	bits := rounds.Rounds(t, 2, 8) // of each byte
	for i := range len(token) {
		for bit := range bits {
			changed := []byte(token)
			changed[i] ^= 1 << bit
			if _, err := verifier.Verify(string(changed)); err == nil {
				t.Errorf("accepted with bit %d of byte %d flipped", bit, i)
			}
		}
	}
}

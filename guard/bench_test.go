package guard_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
	"issuer.example/sid"
)

// BenchmarkVerify compares tokens in the cache and tokens that are not with the bare check
// of a signature. The list has 100,000 revocations.
func BenchmarkVerify(b *testing.B) {
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256} {
		iss := guardtest.New(b, guardtest.Config{Algorithm: alg})
		ids := sid.NewGenerator(nil)
		for range 100_000 {
			iss.RevokeSession(ids.Next())
		}
		g := iss.Guard(b)
		plain := iss.Guard(b, func(c *guard.Config) { c.CacheEntries = -1 })
		token := iss.Mint(b, jwt.Claims{AMR: []string{"pwd"}})
		verify := func(b *testing.B, g *guard.Guard, token string) {
			b.Helper()
			if _, err := g.Verify(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(string(alg)+"/bare", func(b *testing.B) {
			check := bareCheck(b, iss.Keys()[0].Public, token)
			for b.Loop() {
				if !check() {
					b.Fatal("the signature does not verify")
				}
			}
		})
		b.Run(string(alg)+"/unseen", func(b *testing.B) {
			small := iss.Guard(b, func(c *guard.Config) { c.CacheEntries = 8 }) // every token pushes another out
			tokens := make([]string, 1000)
			for i := range tokens {
				tokens[i] = iss.Mint(b, jwt.Claims{AMR: []string{"pwd"}, Expiry: time.Now().Add(time.Minute * time.Duration(1+i%50))})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				verify(b, small, tokens[i%len(tokens)])
			}
		})
		b.Run(string(alg)+"/no cache", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				verify(b, plain, token)
			}
		})
		b.Run(string(alg)+"/seen", func(b *testing.B) {
			verify(b, g, token)
			b.ReportAllocs()
			for b.Loop() {
				verify(b, g, token)
			}
		})
		b.Run(string(alg)+"/seen, in parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					verify(b, g, token)
				}
			})
		})
	}
}

// bareCheck returns a function that does nothing but the check of the signature.
func bareCheck(b *testing.B, public crypto.PublicKey, token string) func() bool {
	b.Helper()
	cut := strings.LastIndexByte(token, '.')
	input := []byte(token[:cut])
	sig, err := base64.RawURLEncoding.DecodeString(token[cut+1:])
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256(input)
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
		return func() bool { return ecdsa.Verify(k, digest[:], r, s) }
	case ed25519.PublicKey:
		return func() bool { return ed25519.Verify(k, input, sig) }
	default:
		return func() bool { return rsa.VerifyPKCS1v15(k.(*rsa.PublicKey), crypto.SHA256, digest[:], sig) == nil }
	}
}

package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"

	"issuer.example/jwt"
)

// BenchmarkVerify compares the verification of an access token with that of its signature
// alone.
func BenchmarkVerify(b *testing.B) {
	keys := loadKeys(b)
	verifier := newVerifier(b, nil)
	for _, alg := range algorithms {
		token, err := keys.signer(b, alg).Mint(goodClaims())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(alg)+"/bare", func(b *testing.B) {
			check := bareCheck(b, keys[alg], token)
			b.ReportAllocs()
			for b.Loop() {
				if !check() {
					b.Fatal("the signature does not verify")
				}
			}
		})
		b.Run(string(alg)+"/jwt", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// bareCheck verifies the signature alone, with everything else computed before.
func bareCheck(b *testing.B, private crypto.Signer, token string) func() bool {
	b.Helper()
	cut := strings.LastIndexByte(token, '.')
	input, sig := []byte(token[:cut]), unbase64(b, token[cut+1:])
	digest := sha256.Sum256(input)
	switch k := private.(type) {
	case *ecdsa.PrivateKey:
		r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
		return func() bool { return ecdsa.Verify(&k.PublicKey, digest[:], r, s) }
	case ed25519.PrivateKey:
		public := k.Public().(ed25519.PublicKey)
		return func() bool { return ed25519.Verify(public, input, sig) }
	default:
		public := k.Public().(*rsa.PublicKey)
		return func() bool { return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], sig) == nil }
	}
}

// BenchmarkMint compares the mint of an access token with its signature alone.
func BenchmarkMint(b *testing.B) {
	keys := loadKeys(b)
	for _, alg := range algorithms {
		signer := keys.signer(b, alg)
		token, err := signer.Mint(goodClaims())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(alg)+"/bare", func(b *testing.B) {
			sign := bareSign(keys[alg], token[:strings.LastIndexByte(token, '.')])
			b.ReportAllocs()
			for b.Loop() {
				if err := sign(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(alg)+"/jwt", func(b *testing.B) {
			claims := goodClaims()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signer.Mint(claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func bareSign(private crypto.Signer, input string) func() error {
	message := []byte(input)
	digest := sha256.Sum256(message)
	switch k := private.(type) {
	case *ecdsa.PrivateKey:
		return func() error { _, _, err := ecdsa.Sign(rand.Reader, k, digest[:]); return err }
	case ed25519.PrivateKey:
		return func() error { ed25519.Sign(k, message); return nil }
	default:
		return func() error {
			_, err := rsa.SignPKCS1v15(rand.Reader, k.(*rsa.PrivateKey), crypto.SHA256, digest[:])
			return err
		}
	}
}

// BenchmarkRefuse measures tokens that are refused before the signature is verified.
func BenchmarkRefuse(b *testing.B) {
	verifier := newVerifier(b, nil)
	for name, token := range map[string]string{
		"size":     strings.Repeat("a", jwt.MaxTokenSize+1),
		"segments": strings.Repeat(".", jwt.MaxTokenSize),
		"garbage":  strings.Repeat("a", jwt.MaxTokenSize),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := verifier.Verify(token); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

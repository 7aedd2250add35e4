package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"issuer.example/jwt"
)

// A service verifies the tokens that the issuer minted.
func Example() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	signer, err := jwt.NewSigner("", jwt.ES256, private)
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	token, err := signer.Mint(&jwt.Claims{
		Issuer:    "https://issuer.example",
		Subject:   "u1",
		Audience:  []string{"https://api.example"},
		IssuedAt:  now,
		Expiry:    now.Add(5 * time.Minute),
		ID:        "token-1",
		SessionID: "session-1",
	})
	if err != nil {
		panic(err)
	}

	keys, err := jwt.NewKeySet(signer.Key())
	if err != nil {
		panic(err)
	}
	verifier, err := jwt.NewVerifier(jwt.VerifierConfig{
		Issuer:   "https://issuer.example",
		Audience: []string{"https://api.example"},
		Keys:     keys,
		Now:      func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}
	claims, err := verifier.Verify(token)
	if err != nil {
		panic(err)
	}
	fmt.Println(claims.Subject, claims.SessionID, claims.Expiry.Format(time.TimeOnly))

	now = now.Add(5 * time.Minute)
	_, err = verifier.Verify(token)
	fmt.Println(errors.Is(err, jwt.ErrExpired), jwt.Cause(err))
	// Output:
	// u1 session-1 12:05:00
	// true exp
}

// The issuer publishes its keys at /.well-known/jwks.json. A key without kid is named by
// its thumbprint.
func ExampleParseJWKS() {
	keys, err := jwt.ParseJWKS([]byte(`{"keys": [
		{"kty": "OKP", "crv": "Ed25519", "use": "sig", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty": "AKP", "alg": "ML-DSA-44", "pub": "of a kind that is yet to come"}
	]}`))
	if err != nil {
		panic(err)
	}
	for _, key := range keys.Keys() {
		fmt.Println(key.Algorithm, key.ID)
	}
	// Output: EdDSA kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
}

// A JWS of any payload: the issuer signed these bytes, and the caller checks the type.
func ExampleVerifySignature() {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	signer, err := jwt.NewSigner("2026-03", jwt.EdDSA, private)
	if err != nil {
		panic(err)
	}
	text, err := signer.Sign("notice+jwt", []byte("the keys change at noon"))
	if err != nil {
		panic(err)
	}
	keys, err := jwt.NewKeySet(signer.Key())
	if err != nil {
		panic(err)
	}

	header, payload, err := jwt.VerifySignature(text, keys)
	fmt.Printf("%s %s: %s %v\n", header.KeyID, header.Type, payload, err)

	_, _, err = jwt.VerifySignature(text+"AA", keys)
	fmt.Println(jwt.Cause(err))
	// Output:
	// 2026-03 notice+jwt: the keys change at noon <nil>
	// sig
}

// Claims that a caller wants in a token are checked before anything else is done with them.
func ExampleCheckExtra() {
	fmt.Println(jwt.CheckExtra([]byte(`{"email": "a@b.example", "roles": ["editor"]}`)))
	fmt.Println(jwt.CheckExtra([]byte(`{"Sub": "root"}`)))
	// Output:
	// <nil>
	// jwt: claim is reserved: "Sub"
}

package jwt_test

import (
	"crypto/ecdsa"
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

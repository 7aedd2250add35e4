package keys_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
	"issuer.example/store/bolt"
)

func Example() {
	if err := example(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// verified u1
	// pending
	// too early: true
}

func example(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "keys")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	db, err := bolt.Open(ctx, bolt.Config{Path: filepath.Join(folder, "issuer.db")})
	if err != nil {
		return err
	}
	defer db.Close()
	sealing, err := secret.Parse([]byte(secret.Generate()))
	if err != nil {
		return err
	}
	manager, err := keys.Open(ctx, keys.Config{Store: db, Secrets: []secret.Secret{sealing}})
	if err != nil {
		return err
	}

	now := time.Now()
	token, err := manager.Mint(&jwt.Claims{
		Issuer: "https://issuer.test", Subject: "u1", Audience: []string{"https://api.test"}, ClientID: "app",
		ID: "t1", SessionID: "s1", IssuedAt: now, AuthTime: now, Expiry: now.Add(5 * time.Minute),
	})
	if err != nil {
		return err
	}
	// A service reads the JWKS and checks tokens by itself.
	set, err := jwt.ParseJWKS(manager.JWKS().Body)
	if err != nil {
		return err
	}
	verifier, err := jwt.NewVerifier(jwt.VerifierConfig{
		Issuer: "https://issuer.test", Audience: []string{"https://api.test"}, Keys: set,
	})
	if err != nil {
		return err
	}
	claims, err := verifier.Verify(token)
	if err != nil {
		return err
	}
	fmt.Println("verified", claims.Subject)

	// A new key is published first and signs an hour later.
	next, err := manager.Rotate(ctx, "")
	if err != nil {
		return err
	}
	fmt.Println(next.State)
	fmt.Println("too early:", errors.Is(manager.Promote(ctx, "", next.ID), keys.ErrTooEarly))
	return nil
}

package guardtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"testing"

	"issuer.example/jwt"
)

func newKey(tb testing.TB, alg jwt.Algorithm) *jwt.Signer {
	tb.Helper()
	var (
		private crypto.Signer
		err     error
	)
	switch alg {
	case jwt.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case jwt.RS256:
		private, err = rsa.GenerateKey(rand.Reader, 3072)
	case jwt.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := jwt.NewSigner("", alg, private)
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

// Token is what [Issuer.MintToken] puts into an access token.
type Token struct {
	jwt.Claims

	// Scope is the claim scope, tokens with one space between them (RFC 9068 §2.2.3).
	// Empty means that the access token has none.
	Scope string
}

// Mint returns an access token with the claims and without a scope. See
// [Issuer.MintToken].
func (i *Issuer) Mint(tb testing.TB, c jwt.Claims) string {
	tb.Helper()
	return i.MintToken(tb, Token{Claims: c})
}

// MintToken returns an access token. Claims that every access token has are filled in
// where they are missing: the subject "u1", the client "app", the audience [Audience], a
// new session, times from now on.
//
// It fails the test if a service that requests a session could not have set the subject,
// the scope or the extra claims: the issuer refuses those ([jwt.ValidSubject],
// [jwt.ValidScope], [jwt.CheckExtra]), so no service ever receives them.
func (i *Issuer) MintToken(tb testing.TB, t Token) string {
	tb.Helper()
	i.complete(&t.Claims)
	if err := t.check(); err != nil {
		tb.Fatalf("guardtest: the issuer would refuse to mint this: %v", err)
	}
	if t.Scope != "" {
		extra := map[string]json.RawMessage{"scope": json.RawMessage(strconv.Quote(t.Scope))}
		maps.Copy(extra, t.Extra)
		t.Extra = extra
	}
	token, err := i.signer().Mint(&t.Claims)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// check applies the issuer's rules for what the minting service sends.
func (t *Token) check() error {
	if err := jwt.ValidSubject(t.Subject); err != nil {
		return err
	}
	if t.Scope != "" {
		if err := jwt.ValidScope(t.Scope); err != nil {
			return err
		}
	}
	if t.Extra == nil {
		return nil
	}
	extra, err := json.Marshal(t.Extra)
	if err != nil {
		return fmt.Errorf("encoding the extra claims: %w", err)
	}
	return jwt.CheckExtra(extra)
}

func (i *Issuer) complete(c *jwt.Claims) {
	now := i.config.Now()
	fill := func(text *string, value string) {
		if *text == "" {
			*text = value
		}
	}
	fill(&c.Issuer, i.URL())
	fill(&c.Subject, "u1")
	fill(&c.ClientID, "app")
	fill(&c.SessionID, i.ids.Next().String())
	fill(&c.ID, rand.Text())
	if c.Audience == nil {
		c.Audience = []string{Audience}
	}
	if c.IssuedAt.IsZero() {
		c.IssuedAt = now
	}
	if c.Expiry.IsZero() {
		c.Expiry = c.IssuedAt.Add(i.config.Lifetime)
	}
	if c.AuthTime.IsZero() {
		c.AuthTime = c.IssuedAt
	}
}

// Sign signs any payload with the issuer's key, for messages that an issuer would not send.
func (i *Issuer) Sign(tb testing.TB, typ string, payload []byte) string {
	tb.Helper()
	text, err := i.signer().Sign(typ, payload)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func (i *Issuer) signer() *jwt.Signer {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[len(i.keys)-1]
}

// Rotate creates a key, signs with it from now on, and returns its id. The older keys stay
// in the key set.
func (i *Issuer) Rotate(tb testing.TB) string {
	tb.Helper()
	key := newKey(tb, i.config.Algorithm)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, key)
	return key.Key().ID
}

// Withdraw removes all keys from the key set but the one that signs.
func (i *Issuer) Withdraw() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = i.keys[len(i.keys)-1:]
}

// Keys returns the keys in the key set.
func (i *Issuer) Keys() []jwt.Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	keys := make([]jwt.Key, 0, len(i.keys))
	for _, signer := range i.keys {
		keys = append(keys, signer.Key())
	}
	return keys
}

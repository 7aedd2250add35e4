package guard_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
	"issuer.example/revocation"
)

func TestVerify(t *testing.T) {
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256} {
		iss := guardtest.New(t, guardtest.Config{Algorithm: alg})
		g := iss.Guard(t)
		token := iss.Mint(t, jwt.Claims{Subject: "u7"})
		for range 2 { // checked, then from the cache
			if c := accepted(t, g, token); c == nil || c.Subject != "u7" || c.Issuer != iss.URL() {
				t.Errorf("%s: %+v", alg, c)
			}
		}
		if s := g.Stats(); s.Hits != 1 || s.Misses != 1 {
			t.Errorf("%s: %d hits, %d misses", alg, s.Hits, s.Misses)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	iss, other := guardtest.New(t, guardtest.Config{}), guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	now := time.Now()
	good := iss.Mint(t, jwt.Claims{})
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	mint := func(c jwt.Claims) string { return iss.Mint(t, c) }
	for name, c := range map[string]struct {
		token string
		want  error
		cause string
	}{
		"expired":        {mint(jwt.Claims{IssuedAt: now.Add(-10 * time.Minute), Expiry: now.Add(-time.Minute)}), jwt.ErrExpired, "exp"},
		"not yet":        {mint(jwt.Claims{NotBefore: now.Add(time.Minute)}), jwt.ErrNotYetValid, "nbf"},
		"of the future":  {mint(jwt.Claims{IssuedAt: now.Add(time.Minute)}), jwt.ErrIssuedAt, "iat"},
		"too long":       {mint(jwt.Claims{Expiry: now.Add(2 * time.Hour)}), jwt.ErrLifetime, "lifetime"},
		"other audience": {mint(jwt.Claims{Audience: []string{"https://other.example"}}), jwt.ErrAudience, "aud"},
		"other issuer":   {mint(jwt.Claims{Issuer: "https://other.example"}), jwt.ErrIssuer, "iss"},
		"other key":      {other.Mint(t, jwt.Claims{Issuer: iss.URL()}), jwt.ErrUnknownKey, "kid"},
		"no session":     {mint(jwt.Claims{SessionID: "s1"}), jwt.ErrClaims, "claims"},
		"an event":       {iss.Sign(t, revocation.TypeEvent, []byte(`{}`)), jwt.ErrType, "typ"},
		"an alive":       {iss.Sign(t, revocation.TypeAlive, []byte(`{}`)), jwt.ErrType, "typ"},
		"an ID token":    {iss.Sign(t, "JWT", []byte(`{}`)), jwt.ErrType, "typ"},
		"a flipped bit":  {string(flipped), jwt.ErrSignature, "sig"},
		"a newline":      {good + "\n", jwt.ErrEncoding, "encoding"},
		"huge":           {good + strings.Repeat("A", 8<<10), jwt.ErrSize, "size"},
		"empty":          {"", jwt.ErrEncoding, "encoding"},
	} {
		for range 2 {
			_, err := g.Verify(t.Context(), c.token)
			if !errors.Is(err, c.want) || guard.Cause(err) != c.cause {
				t.Errorf("%s: %v [%s]", name, err, guard.Cause(err))
			}
		}
	}
}

// T30: entries and marks revoke, and a sign-in right after them is not revoked.
func TestRevoked(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	for name, revoke := range map[string]func(token string){
		"session":    func(token string) { iss.Revoke(t, token) },
		"user":       func(string) { iss.RevokeUser("u1") },
		"client":     func(string) { iss.RevokeClient("app") },
		"everything": func(string) { iss.RevokeEverything() },
	} {
		before := iss.Mint(t, jwt.Claims{})
		unseen := iss.Mint(t, jwt.Claims{SessionID: accepted(t, g, before).SessionID})
		bystander := iss.Mint(t, jwt.Claims{Subject: "u2", ClientID: "other"})
		accepted(t, g, bystander)
		revoke(before)
		after := iss.Mint(t, jwt.Claims{}) // in the same millisecond, as like as not
		iss.Await(t, g)
		for _, token := range []string{before, unseen, before} {
			refused(t, g, token, guard.ErrRevoked)
		}
		accepted(t, g, after)
		if name == "everything" {
			refused(t, g, bystander, guard.ErrRevoked)
		} else {
			accepted(t, g, bystander)
		}
	}
}

// A guard that starts after a revocation learns of it from the snapshot.
func TestRevokedBeforeTheStart(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	tokens := []string{iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{Subject: "u2"}), iss.Mint(t, jwt.Claims{Subject: "u3"})}
	iss.Revoke(t, tokens[0])
	iss.RevokeUser("u2")
	g := iss.Guard(t)
	refused(t, g, tokens[0], guard.ErrRevoked)
	refused(t, g, tokens[1], guard.ErrRevoked)
	accepted(t, g, tokens[2])
}

// T07: the twin of an ES256 token has another text, but belongs to the same session.
func TestTwinOfARevokedTokenIsRevoked(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	token := iss.Mint(t, jwt.Claims{})
	twin := twinOf(t, token)
	accepted(t, g, twin)
	iss.Revoke(t, token)
	iss.Await(t, g)
	refused(t, g, twin, guard.ErrRevoked)
	refused(t, g, token, guard.ErrRevoked)
}

func TestRequirements(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	now := time.Now()
	for name, c := range map[string]struct {
		claims jwt.Claims
		asks   guard.Requirement
		want   error
	}{
		"fresh":              {jwt.Claims{AuthTime: now.Add(-4 * time.Minute)}, guard.RequireFresh(5 * time.Minute), nil},
		"not fresh":          {jwt.Claims{AuthTime: now.Add(-6 * time.Minute)}, guard.RequireFresh(5 * time.Minute), guard.ErrNotFresh},
		"class":              {jwt.Claims{ACR: "mfa"}, guard.RequireACR("phr", "mfa"), nil},
		"other class":        {jwt.Claims{ACR: "pwd"}, guard.RequireACR("mfa"), guard.ErrACR},
		"no class":           {jwt.Claims{}, guard.RequireACR("mfa"), guard.ErrACR},
		"a policy":           {jwt.Claims{}, guard.WhenStale(guard.FailOpen), nil},
		"nothing, as a zero": {jwt.Claims{}, guard.Requirement{}, nil},
	} {
		token := iss.Mint(t, c.claims)
		for range 2 {
			if _, err := g.Verify(t.Context(), token, c.asks); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestRequireScope(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	for name, c := range map[string]struct {
		scope string
		asks  []string
		want  error
	}{
		"one of them":     {"read write", []string{"write"}, nil},
		"both":            {"read write", []string{"write", "read"}, nil},
		"one twice":       {"read write read", []string{"read"}, nil},
		"one is missing":  {"read", []string{"write", "read"}, guard.ErrScope},
		"a prefix":        {"readwrite", []string{"read"}, guard.ErrScope},
		"another case":    {"Read", []string{"read"}, guard.ErrScope},
		"two in one word": {"read write", []string{"read write"}, guard.ErrScope},
		"no claim":        {"", []string{"read"}, guard.ErrScope},
		"the empty scope": {"read", []string{""}, guard.ErrScope},
		"nothing asked":   {"", nil, nil},
	} {
		token := iss.MintToken(t, guardtest.Token{Scope: c.scope})
		for range 2 {
			if _, err := g.Verify(t.Context(), token, guard.RequireScope(c.asks...)); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A scope claim that is not one string of scope tokens (RFC 6749 §3.3) grants nothing.
func TestMalformedScopeGrantsNothing(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	good := iss.MintToken(t, guardtest.Token{Scope: "read"})
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{
		`["read"]`, `"read "`, `" read"`, `"write  read"`, `"write\tread"`, `"read \u00e9"`, `"read \""`, `""`, `null`, `{"read":true}`,
		`"read ` + strings.Repeat("x", jwt.MaxScopeSize) + `"`,
	} {
		changed := bytes.Replace(payload, []byte(`"scope":"read"`), []byte(`"scope":`+scope), 1)
		if bytes.Equal(changed, payload) {
			t.Fatalf("no scope in %s", payload)
		}
		token := iss.Sign(t, jwt.TypeAccessToken, changed)
		if _, err := g.Verify(t.Context(), token, guard.RequireScope("read")); !errors.Is(err, guard.ErrScope) {
			t.Errorf("%.40s: %v", scope, err)
		}
		if _, err := g.Verify(t.Context(), token); err != nil {
			t.Errorf("%.40s, on a route that asks for no scope: %v", scope, err)
		}
	}
}

// A caller that changes the claims does not change what other callers get.
func TestClaimsAreTheCallers(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	token := iss.Mint(t, jwt.Claims{AMR: []string{"pwd"}})
	for range 3 {
		c := accepted(t, g, token)
		if c.Subject != "u1" || len(c.Audience) != 1 || c.AMR[0] != "pwd" {
			t.Fatalf("%+v", c)
		}
		c.Subject = "admin"
		c.Audience = append(c.Audience, "https://other.example")
		c.AMR = append(c.AMR[:1], "otp")
	}
}

// While many goroutines verify, a session that was refused as revoked is never accepted
// again.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t, func(c *guard.Config) { c.CacheEntries = 16 })
	tokens := make([]string, 40)
	for i := range tokens {
		tokens[i] = iss.Mint(t, jwt.Claims{})
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			gone := map[string]bool{}
			for round := range 50 {
				for _, token := range tokens {
					_, err := g.Verify(t.Context(), token)
					switch {
					case errors.Is(err, guard.ErrRevoked):
						gone[token] = true
					case err != nil || gone[token]:
						t.Errorf("round %d: %v, revoked before: %v", round, err, gone[token])
						return
					}
				}
			}
		})
	}
	for _, token := range tokens[:20] {
		iss.Revoke(t, token)
	}
	wg.Wait()
	iss.Await(t, g)
	for i, token := range tokens {
		if i < 20 {
			refused(t, g, token, guard.ErrRevoked)
		} else {
			accepted(t, g, token)
		}
	}
}

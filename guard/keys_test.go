package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

func TestRotation(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet)
	old := iss.Mint(t, jwt.Claims{})
	accepted(t, g, old)
	iss.Rotate(t)
	accepted(t, g, iss.Mint(t, jwt.Claims{})) // an unknown key is looked for
	accepted(t, g, old)

	// T28: a key that was removed from the set verifies nothing, not even cached tokens.
	iss.Withdraw()
	iss.Rotate(t)
	c.Advance(11 * time.Second)
	accepted(t, g, iss.Mint(t, jwt.Claims{}))
	refused(t, g, old, jwt.ErrUnknownKey)
}

// An issuer that removes a compromised key revokes everything. The guard then fetches the
// keys at once, without a token that needs them.
func TestCompromisedKey(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	iss.Await(t, g)
	stolen := iss.Mint(t, jwt.Claims{SessionID: "ffffffff-ffff-7fff-bfff-ffffffffffff"}) // above every mark
	accepted(t, g, stolen)
	kid := iss.Rotate(t)
	iss.Withdraw()
	iss.RevokeEverything()
	guardtest.Until(t, func() bool { ids := g.Stats().KeyIDs; return len(ids) == 1 && ids[0] == kid })
	refused(t, g, stolen, jwt.ErrUnknownKey)
}

// T05: unknown key ids cause at most one fetch in 10 s, however many are sent.
func TestRandomKeyIDs(t *testing.T) {
	c := newClock()
	iss, attacker := guardtest.New(t, guardtest.Config{Now: c.Now}), guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet)
	good := iss.Mint(t, jwt.Claims{})
	random := make([]string, 20)
	for i := range random {
		attacker.Rotate(t)
		random[i] = attacker.Mint(t, jwt.Claims{Issuer: iss.URL()})
	}
	before := iss.Requests(keysPath)
	for round := range uint64(3) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for i := range 1000 {
					if _, err := g.Verify(context.Background(), random[i%len(random)]); !errors.Is(err, jwt.ErrUnknownKey) {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if fetches := iss.Requests(keysPath) - before; fetches != int(round)+1 {
			t.Errorf("round %d: %d fetches", round, fetches)
		}
		c.Advance(10 * time.Second)
	}
	accepted(t, g, good)
}

// If the key set is unusable in any way, the guard keeps its keys and reports why. T04:
// nothing in a token points to a key.
func TestBadKeySets(t *testing.T) {
	t.Parallel()
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	var body atomic.Value
	body.Store("")
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	accepted(t, g, token)
	answer(iss, keysPath, func(w http.ResponseWriter, r *http.Request) {
		text, _ := body.Load().(string)
		if text == "redirect" {
			http.Redirect(w, r, iss.URL()+metadataPath, http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(text))
	})
	jwk, err := json.Marshal(guardtest.JWK(iss.Keys()[0]))
	if err != nil {
		t.Fatal(err)
	}
	key := string(jwk)
	private := fmt.Sprintf(`{"keys":[%s]}`, strings.Replace(key, `{`, `{"d":"AAAA",`, 1))
	kid := iss.Rotate(t)
	unknown := iss.Mint(t, jwt.Claims{}) // makes the guard fetch the keys
	for name, k := range map[string]struct {
		body string
		want error
	}{
		"empty set":       {`{"keys":[]}`, guard.ErrKeys},
		"no body":         {``, guard.ErrKeys},
		"no keys":         {`{}`, guard.ErrKeys},
		"other kinds":     {`{"keys":[{"kty":"EC","crv":"P-521"}]}`, guard.ErrKeys},
		"private members": {private, guard.ErrKeys},
		"two of one kid":  {`{"keys":[` + key + `,` + key + `]}`, guard.ErrKeys},
		"symmetric":       {`{"keys":[{"kty":"oct","k":"AAAA","kid":"` + kid + `"}]}`, guard.ErrKeys},
		"duplicate":       {`{"keys":[],"keys":[` + key + `]}`, guard.ErrKeys},
		"65 keys":         {`{"keys":[` + strings.Repeat(`{},`, 64) + `{}]}`, guard.ErrKeys},
		"huge":            {`{"keys":[` + strings.Repeat(" ", 1<<20) + `]}`, guard.ErrTooLarge},
		"redirect":        {"redirect", guard.ErrRedirect},
	} {
		body.Store(k.body)
		guardtest.Until(t, func() bool { // a fetch from before may be in flight
			c.Advance(11 * time.Second)
			iss.Alive()
			if _, err := g.Verify(t.Context(), unknown); !errors.Is(err, jwt.ErrUnknownKey) {
				t.Errorf("%s: %v", name, err)
			}
			return errors.Is(g.Stats().Keys.Err, k.want)
		})
		if _, err := g.Verify(t.Context(), token, guard.WhenStale(guard.FailOpen)); err != nil {
			t.Errorf("%s: a good token is refused: %v", name, err)
		}
		started := iss.Guard(t, quiet)
		if _, err := started.Verify(t.Context(), token, guard.WhenStale(guard.FailOpen)); !errors.Is(err, guard.ErrStale) {
			t.Errorf("%s: a new guard, without keys: %v", name, err)
		}
		if fault := started.Stats().Keys.Err; !errors.Is(fault, k.want) {
			t.Errorf("%s: the stats of a new guard say %v", name, fault)
		}
	}
	iss.Intercept(nil)
	c.Advance(11 * time.Second)
	iss.Cut()
	iss.Await(t, g)
	accepted(t, g, unknown)
	if fault := g.Stats().Keys.Err; fault != nil {
		t.Errorf("after a good set: %v", fault)
	}
}

// While the issuer is down the guard keeps its keys, and accepts tokens until the list is
// stale.
func TestKeysSurviveTheIssuer(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	iss.Down(true)
	c.Advance(20 * time.Second)
	accepted(t, g, token)
	iss.Rotate(t)
	refused(t, g, iss.Mint(t, jwt.Claims{}), jwt.ErrUnknownKey)
	if g.Stats().Keys.Err == nil {
		t.Error("the stats say nothing")
	}
	accepted(t, g, token)
}

// Keys are fetched again when their max-age is over, without a token or an event that needs
// them.
func TestKeysComeOfAge(t *testing.T) {
	t.Parallel() // it takes 5 s, the least time for which a guard keeps keys
	iss := guardtest.New(t, guardtest.Config{MaxAge: time.Second})
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch r.URL.Path {
		case keysPath: // an older issuer
			w.WriteHeader(http.StatusNotFound)
		case streamPath:
			<-r.Context().Done()
		default:
			next.ServeHTTP(w, r)
		}
	})
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	accepted(t, g, token)
	kid := iss.Rotate(t)
	iss.Withdraw()
	onlyKey(t, g, kid)
	refused(t, g, token, jwt.ErrUnknownKey)
}

// A caller whose context ends does not wait, and the fetch goes on for the others.
func TestKeyFetchObeysTheCaller(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t, quiet)
	release := make(chan struct{})
	asked := make(chan struct{}, 1)
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == keysPath {
			asked <- struct{}{}
			<-release
		}
		next.ServeHTTP(w, r)
	})
	iss.Rotate(t)
	token := iss.Mint(t, jwt.Claims{})
	hasty, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := g.Verify(hasty, token); !errors.Is(err, jwt.ErrUnknownKey) {
			t.Error(err)
		}
	})
	<-asked
	cancel()
	wg.Wait()
	wg.Go(func() { accepted(t, g, token) })
	close(release)
	wg.Wait()
}

// The fetch of an older issuer's key set is conditional: one that has not changed is not
// sent again.
func TestKeySetIsRevalidated(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	var tag atomic.Value
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch r.URL.Path {
		case keysPath:
			w.WriteHeader(http.StatusNotFound)
			return
		case jwksPath:
			tag.Store(r.Header.Get("If-None-Match"))
		}
		next.ServeHTTP(w, r)
	})
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	other := guardtest.New(t, guardtest.Config{Now: c.Now})
	refused(t, g, other.Mint(t, jwt.Claims{Issuer: iss.URL()}), jwt.ErrUnknownKey)
	if text, _ := tag.Load().(string); text == "" {
		t.Error("the fetch is not conditional")
	}
	accepted(t, g, token)
	if fault := g.Stats().Keys.Err; fault != nil {
		t.Error(fault)
	}
}

func TestDiscoveryRefuses(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	other := guardtest.New(t, guardtest.Config{})
	good := map[string]string{
		"issuer": iss.URL(), "jwks_uri": iss.URL() + jwksPath,
		"revocations_endpoint": iss.URL() + snapshotPath, "revocations_stream_endpoint": iss.URL() + streamPath,
	}
	with := func(name, value string) string {
		changed := map[string]string{}
		for k, v := range good {
			changed[k] = v
		}
		changed[name] = value
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, body := range map[string]string{
		"another issuer":          with("issuer", other.URL()),
		"issuer with a slash":     with("issuer", iss.URL()+"/"),
		"no keys":                 with("jwks_uri", ""),
		"keys elsewhere":          with("jwks_uri", other.URL()+jwksPath),
		"feed elsewhere":          with("revocations_endpoint", other.URL()+snapshotPath),
		"stream elsewhere":        with("revocations_stream_endpoint", other.URL()+streamPath),
		"introspection elsewhere": with("introspection_endpoint", "https://evil.example/introspect"),
		"user in URL":             with("jwks_uri", strings.Replace(iss.URL(), "http://", "http://u:p@", 1)+jwksPath),
		"another scheme":          with("jwks_uri", strings.Replace(iss.URL(), "http://", "https://", 1)+jwksPath),
		"another port":            with("jwks_uri", iss.URL()+"0"+jwksPath),
		"a fragment":              with("jwks_uri", iss.URL()+jwksPath+"#x"),
		"a file":                  with("jwks_uri", "file:///etc/passwd"),
	} {
		answer(iss, metadataPath, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		if err := fails(t, iss.Config()); !errors.Is(err, guard.ErrDiscovery) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is no metadata document is the answer of a proxy, and is not used.
	for name, body := range map[string]string{
		"duplicate":  `{"issuer":"` + other.URL() + `",` + with("x", "y")[1:],
		"not JSON":   "<html>",
		"an array":   "[]",
		"an error":   `{"message":"no healthy upstream"}`,
		"no text":    `{"issuer":1}`,
		"no content": "",
		"huge":       strings.Repeat(" ", 1<<20),
	} {
		answer(iss, metadataPath, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		g := iss.Guard(t, quiet)
		if s := g.Stats(); !errors.Is(s.Feed.Err, guard.ErrDiscovery) || !s.Stale {
			t.Errorf("%s: %+v", name, s)
		}
		refused(t, g, iss.Mint(t, jwt.Claims{}), guard.ErrStale)
	}
	if other.Requests(jwksPath)+other.Requests(snapshotPath)+other.Requests(streamPath) > 0 {
		t.Error("another host was asked")
	}
}

// No redirect is followed, so the service key is not sent to another host.
func TestRedirects(t *testing.T) {
	iss, other := guardtest.New(t, guardtest.Config{}), guardtest.New(t, guardtest.Config{})
	for _, path := range []string{metadataPath, keysPath, snapshotPath} {
		answer(iss, path, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL()+path, http.StatusTemporaryRedirect)
		})
		g := iss.Guard(t, quiet)
		if s := g.Stats(); !errors.Is(s.Feed.Err, guard.ErrRedirect) || !s.Stale {
			t.Errorf("%s: %+v", path, s)
		}
	}
	answer(iss, streamPath, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL()+streamPath, http.StatusTemporaryRedirect)
	})
	g := iss.Guard(t, quiet)
	guardtest.Until(t, func() bool { return errors.Is(g.Stats().Feed.Err, guard.ErrRedirect) })
	for _, path := range []string{metadataPath, jwksPath, keysPath, snapshotPath, streamPath} {
		if n := other.Requests(path); n > 0 {
			t.Errorf("%s: %d requests to the other host", path, n)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	for name, change := range map[string]func(*guard.Config){
		"no issuer":       func(c *guard.Config) { c.Issuer = "" },
		"plain http":      func(c *guard.Config) { c.Issuer = "http://id.example.com" },
		"last slash":      func(c *guard.Config) { c.Issuer += "/" },
		"user":            func(c *guard.Config) { c.Issuer = "https://u:p@id.example.com" },
		"no audience":     func(c *guard.Config) { c.Audience = nil },
		"empty audience":  func(c *guard.Config) { c.Audience = []string{""} },
		"no key":          func(c *guard.Config) { c.ServiceKey = "" },
		"two keys":        func(c *guard.Config) { c.ServiceKeyFile = "x" },
		"leeway":          func(c *guard.Config) { c.Leeway = 2 * time.Minute },
		"staleness":       func(c *guard.Config) { c.MaxStaleness = time.Second },
		"policy":          func(c *guard.Config) { c.Stale = 7 },
		"name":            func(c *guard.Config) { c.Name = "a b" },
		"long name":       func(c *guard.Config) { c.Name = strings.Repeat("a", 65) },
		"cache":           func(c *guard.Config) { c.CacheEntries = 1 << 30 },
		"trusted origins": func(c *guard.Config) { c.TrustedOrigins = []string{"app"} },
	} {
		config := iss.Config()
		change(&config)
		if err := fails(t, config); !errors.Is(err, guard.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	config := iss.Config()
	config.ServiceKey = "sk_wrong"
	if err := fails(t, config); !errors.Is(err, guard.ErrStatus) || !strings.Contains(err.Error(), "it does not know the service key") {
		t.Errorf("a wrong key: %v", err)
	}
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	if err := fails(t, iss.Config()); !errors.Is(err, guard.ErrStatus) || !strings.Contains(err.Error(), "lacks the scope revocations:read") {
		t.Errorf("a key that may not: %v", err)
	}
}

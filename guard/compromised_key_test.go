package guard_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// emergency returns an issuer with two keys that the guard knows, and a token that an
// attacker has forged with the older one. No mark covers its session.
func emergency(t *testing.T, changes ...func(*guard.Config)) (iss *guardtest.Issuer, g *guard.Guard, stolen, kid string) {
	t.Helper()
	iss = guardtest.New(t, guardtest.Config{})
	stolen = iss.Mint(t, jwt.Claims{SessionID: "ffffffff-ffff-7fff-bfff-ffffffffffff"})
	kid = iss.Rotate(t)
	g = iss.Guard(t, append(changes, quiet)...)
	iss.Await(t, g)
	accepted(t, g, stolen)
	return iss, g, stolen, kid
}

func onlyKey(t *testing.T, g *guard.Guard, kid string) {
	t.Helper()
	guardtest.Until(t, func() bool { return slices.Equal(g.Stats().KeyIDs, []string{kid}) })
}

// The issuer revokes everything before it removes the key, and again after that. The answer
// to the fetch that the first revocation caused may still contain the key.
func TestCompromisedKeyWhileTheKeysAreOnTheirWay(t *testing.T) {
	t.Parallel()
	iss, g, stolen, kid := emergency(t)
	asked, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != keysPath {
			next.ServeHTTP(w, r)
			return
		}
		old := httptest.NewRecorder()
		r.Header.Del("If-None-Match")
		next.ServeHTTP(old, r)
		first.Do(func() { close(asked); <-release })
		_, _ = w.Write(old.Body.Bytes())
	})
	iss.RevokeEverything()
	<-asked
	iss.Withdraw()
	iss.RevokeEverything()
	iss.Await(t, g)
	close(release)
	onlyKey(t, g, kid)
	refused(t, g, stolen, jwt.ErrUnknownKey)
}

// A guard that was disconnected learns of the emergency from the snapshot.
func TestCompromisedKeyWhileAway(t *testing.T) {
	t.Parallel()
	iss, g, stolen, kid := emergency(t)
	iss.Down(true)
	iss.RevokeUser("u9")
	iss.Withdraw()
	iss.Purge()
	iss.RevokeEverything()
	iss.Down(false)
	onlyKey(t, g, kid)
	refused(t, g, stolen, jwt.ErrUnknownKey)
}

// A guard that starts during the emergency has the new key set when it is ready.
func TestCompromisedKeyDuringTheStart(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	stolen := iss.Mint(t, jwt.Claims{SessionID: "ffffffff-ffff-7fff-bfff-ffffffffffff"})
	iss.Rotate(t)
	var once sync.Once
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == snapshotPath { // by now the guard has the keys
			once.Do(func() { iss.Withdraw(); iss.RevokeEverything() })
		}
		next.ServeHTTP(w, r)
	})
	refused(t, iss.Guard(t, quiet), stolen, jwt.ErrUnknownKey)
}

// The guard fetches the keys until the issuer answers.
func TestCompromisedKeyWhileTheKeysFail(t *testing.T) {
	t.Parallel()
	iss, g, stolen, kid := emergency(t)
	var failures atomic.Int32
	failures.Store(2)
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == keysPath && failures.Add(-1) >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	iss.Withdraw()
	iss.RevokeEverything()
	onlyKey(t, g, kid)
	refused(t, g, stolen, jwt.ErrUnknownKey)
}

// A cache in between may still hold the old keys. It ignores what a request says of caches,
// as Varnish and nginx do.
func TestKeysAreTheIssuersOwn(t *testing.T) {
	iss, g, stolen, kid := emergency(t, func(c *guard.Config) {
		c.HTTPClient = &http.Client{Transport: &sharedCache{next: c.HTTPClient.Transport}}
	})
	iss.Withdraw()
	iss.RevokeEverything()
	onlyKey(t, g, kid)
	refused(t, g, stolen, jwt.ErrUnknownKey)
	accepted(t, g, iss.Mint(t, jwt.Claims{SessionID: "ffffffff-ffff-7fff-bfff-ffffffffffff"}))
}

// The JWKS in a cache brings no key back: not when it is time for the next fetch, nor when
// the issuer's keys cannot be reached.
func TestCachedKeysBringNoneBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		iss := guardtest.New(t, guardtest.Config{InMemory: true})
		stolen := iss.Mint(t, jwt.Claims{SessionID: "ffffffff-ffff-7fff-bfff-ffffffffffff"})
		kid := iss.Rotate(t)
		var broken atomic.Bool
		cached := httptest.NewRecorder()
		iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			switch {
			case r.URL.Path == keysPath && broken.Load():
				w.WriteHeader(http.StatusNotFound)
			case r.URL.Path == jwksPath && cached.Body.Len() > 0:
				_, _ = w.Write(cached.Body.Bytes())
			default:
				next.ServeHTTP(w, r)
			}
		})
		old := jwksOf(iss.Keys())
		cached.Body.Write(old)
		g := iss.Guard(t, quiet)
		iss.Await(t, g)
		iss.Withdraw()
		iss.RevokeEverything()
		onlyKey(t, g, kid)
		for range 2 {
			for range 20 {
				<-time.After(time.Minute)
				if ids := g.Stats().KeyIDs; !slices.Equal(ids, []string{kid}) {
					t.Fatalf("the keys are %v", ids)
				}
			}
			broken.Store(true)
		}
		refused(t, g, stolen, jwt.ErrUnknownKey)
	})
}

// jwksOf is the document of a key set.
func jwksOf(keys []jwt.Key) []byte {
	list := []map[string]string{}
	for _, key := range keys {
		list = append(list, guardtest.JWK(key))
	}
	text, err := json.Marshal(map[string]any{"keys": list})
	return must(text, err)
}

// sharedCache is a cache between verifiers and issuer. It repeats the first answer with keys,
// whatever the request says.
type sharedCache struct {
	next http.RoundTripper

	mu   sync.Mutex
	kept []byte
}

func (c *sharedCache) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != jwksPath {
		return c.next.RoundTrip(r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	recorder := httptest.NewRecorder()
	if c.kept == nil {
		res, err := c.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }()
		_, _ = recorder.Body.ReadFrom(res.Body)
		c.kept = recorder.Body.Bytes()
		return recorder.Result(), nil
	}
	_, _ = recorder.Write(c.kept)
	return recorder.Result(), nil
}

// A guard behind a proxy that holds the stream back has snapshots alone. It drops entries
// that have ended all the same.
func TestSnapshotsAloneAreForgotten(t *testing.T) {
	t.Parallel()
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	answer(iss, streamPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("event: gone\ndata: {}\n\n"))
	})
	iss.RevokeUser("u9")
	g := iss.Guard(t, quiet)
	if n := g.Stats().Revocations; n != 1 {
		t.Fatalf("%d revocations", n)
	}
	c.Advance(time.Hour)
	guardtest.Until(t, func() bool { return g.Stats().Revocations == 0 })
}

package guard_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// A stream that the issuer refuses for a while is resumed. No snapshot is needed.
func TestRefusedStreamIsResumed(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	var refusals atomic.Int32
	refusals.Store(2)
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == streamPath && refusals.Add(-1) >= 0 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
	g := iss.Guard(t, quiet)
	iss.Await(t, g)
	if s := g.Stats(); s.Snapshots != 1 || s.Faults != 2 {
		t.Errorf("%d snapshots, %d faults", s.Snapshots, s.Faults)
	}
}

// A clock that was set back does not keep the guard from fetching the keys.
func TestUnknownKeyAfterTheClockWasSetBack(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet)
	refused(t, g, guardtest.New(t, guardtest.Config{Now: c.Now}).Mint(t, jwt.Claims{Issuer: iss.URL()}), jwt.ErrUnknownKey)
	c.Advance(-20 * time.Second)
	iss.Rotate(t)
	accepted(t, g, iss.Mint(t, jwt.Claims{}))
}

// A fetch that brings the same keys leaves the cache as it is.
func TestSameKeysKeepTheCache(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("If-None-Match") // the whole set comes each time
		next.ServeHTTP(w, r)
	})
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	accepted(t, g, token)
	before := g.Stats()
	refused(t, g, guardtest.New(t, guardtest.Config{Now: c.Now}).Mint(t, jwt.Claims{Issuer: iss.URL()}), jwt.ErrUnknownKey)
	accepted(t, g, token)
	if s := g.Stats(); s.KeyFetches != before.KeyFetches+1 || s.Hits != before.Hits+1 {
		t.Errorf("%d fetches and %d hits more", s.KeyFetches-before.KeyFetches, s.Hits-before.Hits)
	}
}

// An issuer without introspection serves a guard whose policy does not need it.
func TestIssuerWithoutIntrospection(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	answer(iss, metadataPath, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer": iss.URL(), "jwks_uri": iss.URL() + jwksPath,
			"revocations_endpoint": iss.URL() + snapshotPath, "revocations_stream_endpoint": iss.URL() + streamPath,
		})
	})
	accepted(t, iss.Guard(t, quiet), iss.Mint(t, jwt.Claims{}))
	config := iss.Config()
	config.Stale = guard.Introspect
	if err := fails(t, config); !errors.Is(err, guard.ErrConfig) {
		t.Errorf("with the policy introspect: %v", err)
	}
}

func TestFromContextWithoutMiddleware(t *testing.T) {
	if claims, ok := guard.FromContext(t.Context()); ok || claims != nil {
		t.Errorf("%v, %v", claims, ok)
	}
}

// An error of the service itself is 500, without a challenge and without its text.
func TestRefuseOtherErrors(t *testing.T) {
	w := httptest.NewRecorder()
	guard.Refuse(w, errors.New("secret detail"))
	if w.Code != http.StatusInternalServerError || w.Header().Get("WWW-Authenticate") != "" ||
		w.Body.String() != `{"title":"Internal error","status":500,"code":"internal_error"}` {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

package guard_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// clock is a clock that only moves when a test moves it.
type clock struct {
	start time.Time
	moved atomic.Int64
}

func newClock() *clock { return &clock{start: time.UnixMilli(1_772_366_400_250)} }

func (c *clock) Now() time.Time          { return c.start.Add(time.Duration(c.moved.Load())) }
func (c *clock) Advance(d time.Duration) { c.moved.Add(int64(d)) }

// quiet discards the log, for tests that provoke faults.
func quiet(c *guard.Config) { c.Logger = slog.New(slog.DiscardHandler) }

const (
	metadataPath = "/.well-known/openid-configuration"
	jwksPath     = "/.well-known/jwks.json"
	keysPath     = "/v1/revocations/keys"
	snapshotPath = "/v1/revocations"
	streamPath   = "/v1/revocations/stream"
)

// answer makes a handler answer the requests for a path, in place of the issuer.
func answer(iss *guardtest.Issuer, path string, handler http.HandlerFunc) {
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == path {
			handler(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func accepted(t *testing.T, g *guard.Guard, token string) *jwt.Claims {
	t.Helper()
	claims, err := g.Verify(t.Context(), token)
	if err != nil {
		t.Errorf("a good token is refused: %v", err)
	}
	return claims
}

func refused(t *testing.T, g *guard.Guard, token string, want error) {
	t.Helper()
	if claims, err := g.Verify(t.Context(), token); !errors.Is(err, want) || claims != nil {
		t.Errorf("%v, not %v", err, want)
	}
}

func fails(t *testing.T, config guard.Config) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	g, err := guard.New(ctx, config)
	if err == nil {
		_ = g.Close()
		t.Error("the guard starts")
		return nil
	}
	if strings.Contains(err.Error(), guardtest.ServiceKey) {
		t.Errorf("the error holds the service key: %v", err)
	}
	return err
}

// proxy passes requests on to an issuer, as requests for a host.
func proxy(t *testing.T, issuer, host string) http.Handler {
	t.Helper()
	to, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = host
	}}
}

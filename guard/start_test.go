package guard_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// A guard that starts while the issuer is in trouble obeys its policy, and is ready when the
// trouble is over.
func TestStartWhileTheIssuerIsInTrouble(t *testing.T) {
	status := func(code int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(code)
		}
	}
	for name, trouble := range map[string]http.HandlerFunc{
		"503":            status(503, "3600"),
		"502":            status(502, ""),
		"429":            status(429, "3600"),
		"404 of a proxy": status(404, ""),
		"400 of a proxy": status(400, ""),
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://status.example/", http.StatusFound)
		},
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<!doctype html><title>We are back soon</title>")
		},
		"a large page": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20))
		},
		"a JSON error with 200": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"message":"no healthy upstream"}`)
		},
		"connections reset":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"nothing is said":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"the feed alone 503": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				iss := guardtest.New(t, guardtest.Config{InMemory: true})
				token := iss.Mint(t, jwt.Claims{})
				iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					switch {
					case trouble != nil:
						trouble(w, r)
					case r.URL.Path == metadataPath:
						next.ServeHTTP(w, r)
					default:
						w.WriteHeader(http.StatusServiceUnavailable)
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				config := iss.Config()
				quiet(&config)
				begin := time.Now()
				g, err := guard.New(ctx, config)
				if err != nil || time.Since(begin) > 5*time.Second {
					t.Fatalf("%v, after %s", err, time.Since(begin))
				}
				t.Cleanup(func() { _ = g.Close() })
				answersUnavailable(t, g, token)
				if s := g.Stats(); !s.Stale || s.Feed.Err == nil || s.Connected {
					t.Errorf("%+v", s)
				}
				<-time.After(time.Minute)
				refused(t, g, token, guard.ErrStale)
				iss.Intercept(nil)
				<-time.After(12 * time.Second)
				accepted(t, g, token)
				iss.Await(t, g)
			})
		})
	}
}

// answersUnavailable checks that a request with a token is answered 503 under every policy,
// while the guard has no keys.
func answersUnavailable(t *testing.T, g *guard.Guard, token string) {
	t.Helper()
	for _, policy := range []guard.Policy{guard.FailClosed, guard.FailOpen, guard.Introspect} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		g.Require(guard.WhenStale(policy))(http.NotFoundHandler()).ServeHTTP(w, r.WithContext(ctx))
		cancel()
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", policy, w.Code)
		}
	}
	if _, err := g.Verify(t.Context(), "x.y.z"); err == nil || errors.Is(err, guard.ErrStale) {
		t.Errorf("no token at all: %v", err)
	}
}

// A caller that gives up gets no guard.
func TestStartIsCancelled(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if g, err := guard.New(ctx, iss.Config()); g != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", g, err)
	}
}

// While the list is stale a token of an unknown key may be of a new one: the service cannot
// know.
func TestUnknownKeyWhileStale(t *testing.T) {
	c := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: c.Now})
	g := iss.Guard(t, quiet)
	iss.Down(true)
	iss.Rotate(t)
	token := iss.Mint(t, jwt.Claims{})
	refused(t, g, token, jwt.ErrUnknownKey)
	c.Advance(31 * time.Second)
	refused(t, g, iss.Mint(t, jwt.Claims{}), guard.ErrStale)
}

// The issuer is reached at another address than its URL says, and requests go there alone.
func TestBaseURL(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	var elsewhere string
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Host != elsewhere {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		next.ServeHTTP(w, r)
	})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/inside", proxy(t, iss.URL(), elsewhere)).ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	elsewhere = "inner.test"
	g := iss.Guard(t, quiet, func(c *guard.Config) { c.BaseURL = front.URL + "/inside" })
	iss.Await(t, g)
	token := iss.Mint(t, jwt.Claims{})
	accepted(t, g, token)
	iss.Revoke(t, token)
	iss.Await(t, g)
	refused(t, g, token, guard.ErrRevoked)
}

// Which addresses may be reached by http.
func TestPlainHTTP(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	for address, want := range map[string]struct{ private, plain bool }{
		"http://127.0.0.1:1":                   {true, true},
		"http://[::1]:1":                       {true, true},
		"http://localhost:1":                   {true, true},
		"http://issuer:8080":                   {true, false},
		"http://10.1.2.3":                      {true, false},
		"http://192.168.0.1:1":                 {true, false},
		"http://[fd00::1]:1":                   {true, false},
		"http://169.254.1.1":                   {true, false},
		"http://issuer.auth.svc:80":            {true, false},
		"http://issuer.auth.svc.cluster.local": {true, false},
		"http://ISSUER.internal":               {true, false},
		"http://box.local.":                    {true, false},
		"http://id.example.com":                {false, false},
		"http://8.8.8.8":                       {false, false},
		"http://0x08080808":                    {false, false},
		"http://134744072":                     {false, false},
		"http://8.8.2056":                      {false, false},
		"http://[2001:db8::1]":                 {false, false},
		"http://internal.example.com":          {false, false},
		"http://xinternal.":                    {true, false},
		"ftp://127.0.0.1":                      {false, false},
		"http://u@127.0.0.1":                   {false, false},
		"http://127.0.0.1/":                    {false, false},
		"http://127.0.0.1?x":                   {false, false},
		"http://127.0.0.1#":                    {false, false},
	} {
		for allowed, want := range map[bool]bool{true: want.private, false: want.plain} {
			config := iss.Config()
			config.BaseURL, config.AllowPrivateHTTP = address, allowed
			config.HTTPClient = &http.Client{Transport: unreachable{}}
			quiet(&config)
			g, err := guard.New(t.Context(), config)
			if err == nil {
				_ = g.Close()
			}
			if (err == nil) != want || err != nil && !errors.Is(err, guard.ErrConfig) {
				t.Errorf("%s, private allowed %v: %v", address, allowed, err)
			}
		}
	}
}

// unreachable is a network on which nothing is reached.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("unreachable")
}

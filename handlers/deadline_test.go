package handlers_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/client"
	"issuer.example/handlers"
	"issuer.example/handlers/exchange"
	"issuer.example/handlers/revocations"
	"issuer.example/session"
)

// hangingStore is a store that can stop answering until the context of the request ends.
type hangingStore struct {
	session.Store

	hangs atomic.Bool
}

// wait returns at once, or with the error of the context when it ends.
func (s *hangingStore) wait(ctx context.Context) error {
	if s.hangs.Load() {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (s *hangingStore) Load(ctx context.Context, ref session.Ref) (session.Snapshot, error) {
	if err := s.wait(ctx); err != nil {
		return session.Snapshot{}, err
	}
	return s.Store.Load(ctx, ref)
}

func (s *hangingStore) List(ctx context.Context, q session.Query) (session.Page, error) {
	if err := s.wait(ctx); err != nil {
		return session.Page{}, err
	}
	return s.Store.List(ctx, q)
}

func (s *hangingStore) Create(ctx context.Context, c session.CreateRequest) (session.Created, error) {
	if err := s.wait(ctx); err != nil {
		return session.Created{}, err
	}
	return s.Store.Create(ctx, c)
}

func (s *hangingStore) Change(ctx context.Context, at session.Target, decide session.Decision) (session.Snapshot, error) {
	if err := s.wait(ctx); err != nil {
		return session.Snapshot{}, err
	}
	return s.Store.Change(ctx, at, decide)
}

func (s *hangingStore) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	if err := s.wait(ctx); err != nil {
		return session.Marked{}, err
	}
	return s.Store.Mark(ctx, m)
}

// TestRequestDeadline: a store that hangs is answered 503 in time, instead of holding the connection.
func TestRequestDeadline(t *testing.T) {
	store := &hangingStore{}
	var server *handlers.Server
	f := newFixture(t, func(s *settings) {
		store.Store = s.sessions.Store
		s.sessions.Store = store
		server = newServer(t, s)
	})
	s := f.mint(t, "u1")
	store.hangs.Store(true)
	for name, tt := range map[string]struct {
		handler      http.Handler
		method, path string
		body         string
		bearer       string
	}{
		"refresh": {server.Public(), "POST", "/v1/session/refresh", `{"refresh_token":"` + s.refresh + `"}`, ""},
		"session": {server.Public(), "GET", "/v1/session", "", s.access},
		"mint":    {server.Public(), "POST", "/v1/sessions", `{"user":{"id":"u2"}}`, serviceKey(client.ScopeMint)},
		"key":     {server.Admin(), "DELETE", "/admin/v1/keys/" + f.keys.List()[0].ID, "", serviceKey(client.ScopeAdmin)},
		"admin":   {server.Admin(), "GET", "/admin/v1/sessions?user_id=u1", "", serviceKey(client.ScopeAdmin)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := httptest.NewRequestWithContext(t.Context(), tt.method, "http://localhost"+tt.path, strings.NewReader(tt.body))
				r.Header.Set("Content-Type", "application/json")
				if tt.bearer != "" {
					r.Header.Set("Authorization", "Bearer "+tt.bearer)
				}
				w, began := httptest.NewRecorder(), time.Now()
				tt.handler.ServeHTTP(w, r)
				if w.Code != 503 || !strings.Contains(w.Body.String(), `"unavailable"`) {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				if took := time.Since(began); took != exchange.RequestTimeout {
					t.Errorf("it took %v, want %v", took, exchange.RequestTimeout)
				}
			})
		})
	}
}

// TestLongAnswersHaveNoDeadline: a backup and a stream may take as long as they need.
func TestLongAnswersHaveNoDeadline(t *testing.T) {
	var ended error
	var server *handlers.Server
	newFixture(t, func(s *settings) {
		s.http.Facts = nil // the store is outside of the bubble
		s.http.Backup = func(ctx context.Context, _ io.Writer) error {
			time.Sleep(2 * exchange.RequestTimeout) // of the bubble's clock
			ended = ctx.Err()
			return nil
		}
		server = newServer(t, s)
	})
	synctest.Test(t, func(t *testing.T) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/admin/v1/backup", nil)
		r.Header.Set("Authorization", "Bearer "+serviceKey(client.ScopeAdmin))
		w := httptest.NewRecorder()
		server.Admin().ServeHTTP(w, r)
		if w.Code != 200 || ended != nil {
			t.Errorf("backup: %d, its context: %v", w.Code, ended)
		}
	})
	for _, route := range revocations.New(revocations.Config{}).Routes() {
		if stream := strings.HasSuffix(route.Path, "/stream"); route.Unbounded != stream {
			t.Errorf("%s: unbounded: %v", route.Path, route.Unbounded)
		}
	}
}

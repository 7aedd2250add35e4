package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

func TestRoutes(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	service := routes(g)
	ask := func(method, path, token string) int {
		r := httptest.NewRequest(method, path, nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		return w.Code
	}
	token := iss.Mint(t, jwt.Claims{AuthTime: time.Now().Add(-time.Hour)})
	fresh := iss.Mint(t, jwt.Claims{})
	scoped := iss.MintToken(t, guardtest.Token{Scope: "orders:read orders:write"})
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{http.MethodGet, "/me", "", 401},
		{http.MethodGet, "/me", token, 200},
		{http.MethodGet, "/prices", token, 200},
		{http.MethodGet, "/orders", token, 403},
		{http.MethodGet, "/orders", scoped, 200},
		{http.MethodDelete, "/me", token, 401},
		{http.MethodDelete, "/me", fresh, 204},
		{http.MethodGet, "/healthz", "", 200},
	} {
		if got := ask(c.method, c.path, c.token); got != c.want {
			t.Errorf("%s %s: %d, not %d", c.method, c.path, got, c.want)
		}
	}
	iss.Revoke(t, token)
	iss.Await(t, g)
	if got := ask(http.MethodGet, "/me", token); got != http.StatusUnauthorized {
		t.Errorf("after the revocation: %d", got)
	}
}

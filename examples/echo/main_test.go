package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

func TestService(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	e := service(g)
	ask := func(method, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/me", nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w
	}
	token := iss.Mint(t, jwt.Claims{Subject: "u7", AuthTime: time.Now().Add(-time.Hour)})
	if w := ask(http.MethodGet, token); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"u7"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(http.MethodGet, ""); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(http.MethodDelete, token); w.Code != http.StatusUnauthorized {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(http.MethodDelete, iss.Mint(t, jwt.Claims{})); w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	iss.Revoke(t, token)
	iss.Await(t, g)
	if w := ask(http.MethodGet, token); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "session_revoked") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

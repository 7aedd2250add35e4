// Package betterauth is the routes that the better-auth client for browsers calls. They differ from /v1
// in form only: credentials, cookies and what is allowed are the same code.
//
// A user is signed in by the session cookie, which holds the refresh token, or by an access token as
// bearer token. The client takes 401 for signed out, and keeps the user on any other refusal.
package betterauth

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/keys"
	"issuer.example/session"
)

const mediaType = "application/json"

// Config is what Handlers are made of.
type Config struct {
	Sessions *session.Service
	Keys     *keys.Manager
	Auth     *credential.Authenticator
	Issuer   string // the `iss` of the cookie cache
	Options  Options
	Now      func() time.Time
}

// Options are what the configuration says about these routes.
type Options struct {
	// BasePath is where the routes are, without a trailing slash. "" means /api/auth.
	BasePath string
	// ListRequiresFresh asks for a fresh authentication to list one's sessions.
	ListRequiresFresh bool
}

// Handlers answers the routes of the better-auth client.
type Handlers struct {
	sessions *session.Service
	keys     *keys.Manager
	auth     *credential.Authenticator
	cache    cacheSigner
	options  Options
	now      func() time.Time
}

// New makes Handlers.
func New(cfg Config) *Handlers {
	cfg.Options.BasePath = cmp.Or(cfg.Options.BasePath, "/api/auth")
	return &Handlers{
		sessions: cfg.Sessions, keys: cfg.Keys, auth: cfg.Auth, options: cfg.Options, now: cfg.Now,
		cache: cacheSigner{keys: cfg.Keys, jar: cfg.Auth.Jar, issuer: cfg.Issuer, now: cfg.Now},
	}
}

// Area is the part of the paths whose refusals have the form of the client.
func (h *Handlers) Area() exchange.Area {
	return exchange.Area{Prefix: h.options.BasePath, Refuse: writeRefusal}
}

// Routes lists the routes.
func (h *Handlers) Routes() []exchange.Route {
	routes := []exchange.Route{
		{Method: "GET", Path: "/ok", Serve: h.ok},
		{Method: "GET", Path: "/get-session", Serve: h.getSession},
		{Method: "POST", Path: "/get-session", Serve: h.renewSession},
		{Method: "GET", Path: "/list-sessions", Serve: h.listSessions},
		{Method: "POST", Path: "/revoke-session", Serve: h.revokeSession},
		{Method: "POST", Path: "/revoke-sessions", Serve: h.revokeAllSessions},
		{Method: "POST", Path: "/revoke-other-sessions", Serve: h.revokeOtherSessions},
		{Method: "POST", Path: "/revoke-all-sessions", Serve: h.revokeAllSessions},
		{Method: "GET", Path: "/revoke-all-sessions", Serve: h.revokeAllSessionsByGet, NoHead: true},
		{Method: "POST", Path: "/sign-out", Serve: h.signOut},
		{Method: "GET", Path: "/token", Serve: h.token},
		{Method: "GET", Path: "/jwks", Serve: h.keySet},
		{Method: "POST", Path: "/update-session", Serve: h.updateSession},
	}
	for i := range routes {
		routes[i].Path = h.options.BasePath + routes[i].Path
	}
	return routes
}

func (h *Handlers) ok(x *exchange.Exchange) error {
	return x.Blob(http.StatusOK, mediaType, []byte(`{"ok":true}`))
}

func (h *Handlers) keySet(x *exchange.Exchange) error {
	return exchange.AnswerKeySet(x, h.keys.JWKS(), mediaType)
}

// isSignedOut reports whether err says that nobody is signed in. It does not if that is unknown, or if
// more is asked of the user who is.
func isSignedOut(err error) bool { return exchange.RefusalFor(err).Code.SignedOut() }

// hasFlag reports whether the query has a flag.
func hasFlag(x *exchange.Exchange, name string) (bool, error) {
	value, _, err := x.Query(name)
	return slices.Contains([]string{"true", "1"}, value), err
}

// answerStatus answers that a change is done.
func answerStatus(x *exchange.Exchange) error {
	return x.Blob(http.StatusOK, mediaType, []byte(`{"status":true}`))
}

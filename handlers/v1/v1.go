// Package v1 is the API of the issuer under /v1: for pages and apps that refresh and manage their own
// sessions, and for backends that create and end sessions by service key.
//
// [New] makes the [Handlers]; [Handlers.Routes] are its routes. What is allowed is decided by package
// credential and by [session.Service].
package v1

import (
	"time"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/handlers/sessionjson"
	"issuer.example/session"
)

// Handlers answers the routes of /v1, but for those of the revocation feed.
type Handlers struct {
	sessions *session.Service
	auth     *credential.Authenticator
	now      func() time.Time
}

// New makes Handlers.
func New(sessions *session.Service, auth *credential.Authenticator, now func() time.Time) *Handlers {
	return &Handlers{sessions: sessions, auth: auth, now: now}
}

// Routes lists the routes.
func (h *Handlers) Routes() []exchange.Route {
	return []exchange.Route{
		{Method: "POST", Path: "/v1/session/refresh", Serve: h.refresh},
		{Method: "POST", Path: "/v1/session/claim", Serve: h.claim},
		{Method: "GET", Path: "/v1/session", Serve: h.current},
		{Method: "DELETE", Path: "/v1/session", Serve: h.signOut},

		{Method: "POST", Path: "/v1/sessions", Serve: h.mint},
		{Method: "GET", Path: "/v1/sessions", Serve: h.list},
		{Method: "POST", Path: "/v1/sessions/revoke-others", Serve: h.revokeOthers},
		{Method: "POST", Path: "/v1/sessions/revoke-all", Serve: h.revokeAll},
		{Method: "GET", Path: "/v1/sessions/{id}", Serve: h.get},
		{Method: "DELETE", Path: "/v1/sessions/{id}", Serve: h.revoke},
		{Method: "POST", Path: "/v1/sessions/{id}/reauthenticate", Serve: h.reauthenticate},
		{Method: "POST", Path: "/v1/users/{id}/revoke-sessions", Serve: h.revokeUser(sessionjson.RevokeUserOfPath)},
		{Method: "POST", Path: "/v1/users/revoke-sessions", Serve: h.revokeUser(sessionjson.RevokeUserOfBody)},
	}
}

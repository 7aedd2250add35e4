// Package admin is the admin API of the issuer and the routes for operators: sessions of any user,
// signing keys, verifiers, backup, metrics and profiles. They belong on a listener that is not
// reachable by everyone, and need a service key of scope admin; metrics need none.
package admin

import (
	"context"
	"io"
	"net/http"
	"time"

	"issuer.example/client"
	"issuer.example/fact"
	"issuer.example/feed"
	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/handlers/sessionjson"
	"issuer.example/keys"
	"issuer.example/session"
)

// Config is what Handlers are made of.
type Config struct {
	Sessions *session.Service
	Keys     *keys.Manager
	Auth     *credential.Authenticator
	Feed     *feed.Hub    // nil: the list of verifiers is answered 404
	Metrics  http.Handler // nil: /metrics is answered 404
	// Backup writes a consistent copy of the store. Nil: the store is a database, and the route is answered 404.
	Backup func(ctx context.Context, w io.Writer) error
	// Facts records what administrators do that changes nothing else. Nil: nothing is recorded.
	Facts fact.Recorder
	// Reload reads the configuration anew. Nil: the route is answered 404.
	Reload func(ctx context.Context) (Reloaded, error)
	Now    func() time.Time // required
}

// Handlers answers the routes of the admin listener.
type Handlers struct{ cfg Config }

// New makes Handlers.
func New(cfg Config) *Handlers { return &Handlers{cfg: cfg} }

// Routes lists the routes.
func (h *Handlers) Routes() []exchange.Route {
	routes := []exchange.Route{
		{Method: "GET", Path: "/admin/v1/sessions", Serve: h.sessions},
		{Method: "GET", Path: "/admin/v1/sessions/{id}", Serve: h.session},
		{Method: "DELETE", Path: "/admin/v1/sessions/{id}", Serve: h.revokeSession},
		{Method: "POST", Path: "/admin/v1/users/{id}/revoke-sessions", Serve: h.revokeUser(sessionjson.RevokeUserOfPath)},
		{Method: "POST", Path: "/admin/v1/users/revoke-sessions", Serve: h.revokeUser(sessionjson.RevokeUserOfBody)},
		{Method: "POST", Path: "/admin/v1/revocations", Serve: h.revokeMany},
		{Method: "GET", Path: "/admin/v1/verifiers", Serve: h.verifiers},

		{Method: "GET", Path: "/admin/v1/keys", Serve: h.keys},
		{Method: "POST", Path: "/admin/v1/keys/rotate", Serve: h.rotateKey},
		{Method: "POST", Path: "/admin/v1/keys/{kid}/promote", Serve: h.promoteKey},
		{Method: "DELETE", Path: "/admin/v1/keys/{kid}", Serve: h.revokeKey},

		{Method: "POST", Path: "/admin/v1/reload", Serve: h.reload},
		{Method: "GET", Path: "/admin/v1/backup", Serve: h.backup, NoHead: true, Unbounded: true},
		{Method: "GET", Path: "/debug/pprof/", Serve: profile},
		{Method: "GET", Path: "/debug/pprof/{profile}", Serve: profile, NoHead: true, Unbounded: true},
	}
	for i := range routes {
		routes[i].Serve = h.requireAdmin(routes[i].Serve)
	}
	return append(routes, exchange.Route{Method: "GET", Path: "/metrics", Serve: h.metrics})
}

// requireAdmin demands a service key of scope admin.
func (h *Handlers) requireAdmin(serve func(*exchange.Exchange) error) func(*exchange.Exchange) error {
	return func(x *exchange.Exchange) error {
		if _, err := h.cfg.Auth.Clients.Require(x, client.ScopeAdmin); err != nil {
			return err
		}
		return serve(x)
	}
}

// adminCause is the cause of a change that the service key of this request asks for.
func adminCause(x *exchange.Exchange, reason session.Reason) session.Cause {
	return session.Cause{Reason: reason, By: x.Log.Client}
}

// Package wellknown is the public documents of the issuer: its keys, its metadata, its description, the
// explanations of problem types, and its health.
package wellknown

import (
	"log/slog"
	"net/http"

	"issuer.example/handlers/exchange"
	"issuer.example/keys"
)

// Config is what Handlers are made of.
type Config struct {
	Keys    *keys.Manager
	Issuer  string // the base of every published URL, without a trailing slash
	Feed    bool   // whether there is a revocation feed
	OpenAPI []byte // the description of the interface
	Checks  []Check
	Logger  *slog.Logger
}

// Check is a part that must work before the issuer is ready.
type Check struct {
	Name string
	// Err is nil while the part works. It must answer at once. Its text is logged, and never
	// shown to the caller.
	Err func() error
}

// Handlers answers the routes of the public documents.
type Handlers struct{ cfg Config }

// New makes Handlers.
func New(cfg Config) *Handlers { return &Handlers{cfg: cfg} }

// Routes lists the routes of the public listener.
func (h *Handlers) Routes() []exchange.Route {
	return append([]exchange.Route{
		{Method: "GET", Path: "/.well-known/jwks.json", Serve: h.keySet, Open: true},
		{Method: "GET", Path: "/.well-known/openid-configuration", Serve: h.metadata, Open: true},
		{Method: "GET", Path: "/.well-known/oauth-authorization-server", Serve: h.metadata, Open: true},
		{Method: "GET", Path: "/openapi.yaml", Serve: h.description, Open: true},
		{Method: "GET", Path: "/problems/{code}", Serve: h.problem, Open: true},
	}, h.HealthRoutes()...)
}

// HealthRoutes lists the routes that both listeners have.
func (h *Handlers) HealthRoutes() []exchange.Route {
	return []exchange.Route{
		{Method: "GET", Path: "/healthz", Serve: h.healthy, Probe: true},
		{Method: "GET", Path: "/readyz", Serve: h.ready, Probe: true},
	}
}

func (h *Handlers) description(x *exchange.Exchange) error {
	return x.Blob(http.StatusOK, "application/yaml", h.cfg.OpenAPI)
}

// problem explains a code: the type of a problem document is a link to it.
func (h *Handlers) problem(x *exchange.Exchange) error {
	text, err := x.Segment("code")
	if err != nil {
		return err
	}
	code := exchange.Code(text)
	if !code.Known() {
		return exchange.NotFound()
	}
	m := code.Meaning()
	return x.JSON(http.StatusOK, struct {
		Code   exchange.Code `json:"code"`
		Status int           `json:"status"`
		Title  string        `json:"title"`
	}{code, m.Status, m.Title})
}

// healthy answers that the process is alive.
func (h *Handlers) healthy(x *exchange.Exchange) error {
	return x.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// ready answers whether requests can be served: a key can sign and every check passes.
func (h *Handlers) ready(x *exchange.Exchange) error {
	out, status := struct {
		Status string            `json:"status"` // ok or unavailable
		Checks map[string]string `json:"checks"` // ok or failing
	}{"ok", make(map[string]string)}, http.StatusOK
	checks := append([]Check{{Name: "keys", Err: h.cfg.Keys.Ready}}, h.cfg.Checks...)
	for _, c := range checks {
		out.Checks[c.Name] = "ok"
		if err := c.Err(); err != nil {
			out.Checks[c.Name] = "failing"
			out.Status, status = "unavailable", http.StatusServiceUnavailable
			h.cfg.Logger.WarnContext(x.Context(), "not ready", "check", c.Name, "error", err)
		}
	}
	return x.JSON(status, out)
}

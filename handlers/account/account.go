// Package account is the pages on which users see and end their own sessions. They need no script: forms
// make the changes.
package account

import (
	"fmt"
	"net/http"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/web"
)

// basePath is the page of a user's devices.
const basePath = "/account/sessions"

// Handlers answers the routes of the pages.
type Handlers struct {
	sessions *session.Service
	auth     *credential.Authenticator
	pages    *web.Pages
	prefix   string
}

// New makes Handlers. prefix is the path of the issuer's URL, which stands before the paths of the
// pages in a browser; "" if it has none.
func New(sessions *session.Service, auth *credential.Authenticator, prefix string) (*Handlers, error) {
	pages, err := web.New(prefix)
	if err != nil {
		return nil, fmt.Errorf("parsing the page templates: %w", err)
	}
	return &Handlers{sessions: sessions, auth: auth, pages: pages, prefix: prefix}, nil
}

// Routes lists the routes.
func (h *Handlers) Routes() []exchange.Route {
	return []exchange.Route{
		{Method: "GET", Path: basePath, Serve: h.devices, Refuse: h.writeRefusal},
		{Method: "GET", Path: basePath + "/revoke-all", Serve: h.confirmRevokeAll, Refuse: h.writeRefusal},
		{Method: "POST", Path: basePath + "/revoke", Serve: h.revoke, Refuse: h.writeRefusal},
		{Method: "POST", Path: basePath + "/revoke-others", Serve: h.revokeOthers, Refuse: h.writeRefusal},
		{Method: "POST", Path: basePath + "/revoke-all", Serve: h.revokeAll, Refuse: h.writeRefusal},
		{Method: "GET", Path: "/account/assets/{name}", Serve: h.style},
	}
}

// style answers with the style sheet, under the name that goes with its content.
func (h *Handlers) style(x *exchange.Exchange) error {
	name, err := x.Segment("name")
	if err != nil || name != web.StyleName() {
		return exchange.NotFound()
	}
	x.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return x.Blob(http.StatusOK, "text/css; charset=utf-8", web.Style())
}

package v1

import (
	"net/http"
	"time"

	"issuer.example/handlers/exchange"
	"issuer.example/handlers/sessionjson"
	"issuer.example/session"
)

// handOff answers a backend that mints for a browser on another site: with a code that the page claims,
// instead of tokens. A page of any trusted origin can claim it if origin is nil.
func (h *Handlers) handOff(x *exchange.Exchange, req session.MintRequest, origin *string, byCookie bool) error {
	var boundTo string
	if origin != nil {
		boundTo = *origin
	}
	switch {
	case byCookie:
		return exchange.InvalidField("handoff", "A hand-off has no transport: the page that claims it gets cookies.")
	case origin != nil && !h.auth.Origins.Trusts(boundTo):
		return exchange.InvalidField("handoff_origin", "The handoff_origin must be the issuer's own or an allowed origin.")
	}
	handoff, err := h.sessions.MintHandoff(x.Context(), req, boundTo)
	if err != nil {
		return err
	}
	x.Log.SessionID = handoff.View.ID.String()
	return x.JSON(http.StatusCreated, struct {
		Code      string `json:"handoff_code"`
		ExpiresIn int    `json:"expires_in"`
	}{handoff.Code, int(session.HandoffLifetime / time.Second)})
}

// claim sets the cookies of a session that a backend has handed off. The Origin header must name a
// trusted page.
func (h *Handlers) claim(x *exchange.Exchange) error {
	var body struct {
		Code string `json:"handoff_code"`
	}
	if err := x.DecodeJSON(&body); err != nil {
		return err
	}
	origins := x.Request().Header.Values("Origin")
	if err := h.auth.Origins.RequireTrusted(origins); err != nil {
		return err
	}
	g, err := h.sessions.Claim(x.Context(), body.Code, origins[0], x.Device())
	if err != nil {
		return h.auth.CountForgery(x, err)
	}
	x.Log.SessionID = g.View.ID.String()
	now := h.now()
	h.auth.Jar.Set(x, g, now)
	g.RefreshToken = ""
	return sessionjson.AnswerGrant(x, http.StatusOK, &g, now)
}

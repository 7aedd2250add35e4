package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/session"
)

// handoff answers a backend that mints for a browser on another site: with a code that the
// page claims, instead of tokens.
func (s *Server) handoff(x *exchange, req session.MintRequest, body *mintBody, cookie bool) error {
	switch {
	case cookie:
		return &refusal{code: codeInvalidRequest, field: "handoff", detail: "A hand-off has no transport: the page that claims it gets cookies."}
	case body.HandoffOrigin != "" && !s.origins.trusted[body.HandoffOrigin]:
		return &refusal{code: codeInvalidRequest, field: "handoff_origin", detail: "The handoff_origin must be the issuer's own or an allowed origin."}
	}
	h, err := s.cfg.Sessions.MintHandoff(x.Request().Context(), req, body.HandoffOrigin)
	if err != nil {
		return err
	}
	x.sid = h.View.ID.String()
	return writeJSON(x, http.StatusCreated, struct {
		Code      string `json:"handoff_code"`
		ExpiresIn int    `json:"expires_in"`
	}{h.Code, int(session.HandoffLifetime / time.Second)})
}

// claim sets the cookies of a session that a backend has handed off. Its Origin header
// says which page asks; without one, or from elsewhere, nobody gets anything.
func (s *Server) claim(x *exchange) error {
	var body struct {
		Code string `json:"handoff_code"`
	}
	if err := decode(x, &body); err != nil {
		return err
	}
	origins := x.Request().Header.Values(echo.HeaderOrigin)
	if err := s.origins.trust(origins); err != nil {
		return err
	}
	g, err := s.cfg.Sessions.Claim(x.Request().Context(), body.Code, origins[0], x.device())
	if err != nil {
		if guessed(err) {
			err = s.penalise(x, err)
		}
		return err
	}
	x.sid = g.View.ID.String()
	now := s.cfg.Now()
	s.jar.set(x, g, now)
	g.RefreshToken = ""
	return answerGrant(x, http.StatusOK, &g, now)
}

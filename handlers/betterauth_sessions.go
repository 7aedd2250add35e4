package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"issuer.example/session"
	"issuer.example/sid"
)

// listSessions answers with the caller's live sessions.
func (s *Server) listSessions(x *exchange) error {
	m, err := s.member(x, s.cfg.Sessions.Read)
	if err != nil {
		return err
	}
	if s.cfg.BetterAuth.ListRequiresFresh {
		if err := s.cfg.Sessions.RequireFresh(m.holder); err != nil {
			return err
		}
	}
	views, err := s.cfg.Sessions.ListOwn(x.Request().Context(), m.holder)
	if err != nil {
		return err
	}
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, appendBetterList(nil, views, m.holder.View.ID))
}

// revokeSession ends one of the caller's sessions. One that is unknown, or not theirs, is
// a success without effect: what such an id stands for is nobody's business.
func (s *Server) revokeSession(x *exchange) error {
	var body struct {
		Token     string `json:"token"`
		ID        string `json:"id"`
		SessionID string `json:"sessionId"`
	}
	m, err := s.changer(x, &body)
	if err != nil {
		return err
	}
	named := ""
	for _, name := range []string{body.Token, body.ID, body.SessionID} {
		if name != "" && named != "" && name != named {
			return &refusal{code: codeInvalidRequest, better: "VALIDATION_ERROR", detail: "The body names two sessions."}
		}
		named = max(named, name)
	}
	if named == "" {
		return &refusal{code: codeInvalidRequest, better: "VALIDATION_ERROR", detail: "The body must name a session: token or id."}
	}
	id, err := sid.Parse(named)
	if err != nil {
		return answerStatus(x)
	}
	err = s.cfg.Sessions.RevokeOwn(x.Request().Context(), m.holder, id)
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		return err
	}
	if id == m.holder.View.ID {
		s.jar.clear(x)
	}
	return answerStatus(x)
}

// revokeEverySession ends all of the caller's sessions, this one too.
func (s *Server) revokeEverySession(x *exchange) error {
	m, err := s.changer(x, nil)
	if err != nil {
		return err
	}
	return s.revokeAllOf(x, m)
}

// revokeEverySessionByGet is what a better-auth client without our plugin sends for
// revokeAllSessions(): it takes a call without a body for a GET.
func (s *Server) revokeEverySessionByGet(x *exchange) error {
	if x.Request().Method != http.MethodGet { // HEAD must not change anything
		x.Set(echo.ContextKeyHeaderAllow, "OPTIONS, GET, POST")
		return &refusal{code: codeMethod}
	}
	if err := s.checkGet(x); err != nil {
		return err
	}
	m, err := s.member(x, s.cfg.Sessions.Read)
	if err != nil {
		return err
	}
	return s.revokeAllOf(x, m)
}

func (s *Server) revokeAllOf(x *exchange, m *member) error {
	if _, err := s.cfg.Sessions.RevokeAll(x.Request().Context(), m.holder); err != nil {
		return err
	}
	s.jar.clear(x)
	return answerStatus(x)
}

// revokeOtherSessions ends the caller's sessions but this one.
func (s *Server) revokeOtherSessions(x *exchange) error {
	m, err := s.changer(x, nil)
	if err != nil {
		return err
	}
	if _, err := s.cfg.Sessions.RevokeOthers(x.Request().Context(), m.holder); err != nil {
		return err
	}
	return answerStatus(x)
}

// changer is the member who asks for a change, after what a change must pass.
func (s *Server) changer(x *exchange, body any) (*member, error) {
	if err := s.checkChange(x); err != nil {
		return nil, err
	}
	m, err := s.member(x, s.cfg.Sessions.Read)
	if err != nil {
		return nil, err
	}
	return m, decodeCall(x, body)
}

// betterSignOut ends the caller's session. Nobody signed in is a success.
func (s *Server) betterSignOut(x *exchange) error {
	if err := s.checkChange(x); err != nil {
		return err
	}
	if err := decodeCall(x, nil); err != nil {
		return err
	}
	bearer, _, err := s.betterCredentials(x)
	if err != nil {
		return err
	}
	given, err := s.withCookies(x, bearer)
	if err != nil {
		return err
	}
	if _, err := s.signOutBy(x, given); err != nil && !s.signedOut(err) {
		return err
	}
	s.jar.clear(x)
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, []byte(`{"success":true}`))
}

// answerStatus answers that it is done.
func answerStatus(x *exchange) error {
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, []byte(`{"status":true}`))
}

package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"issuer.example/session"
)

// signedOutBody is what the client takes for nobody: any other answer with status 200
// counts as signed in there.
const signedOutBody = "null"

// getSession says who is signed in. It never rotates: whoever renders a page with the
// browser's cookies loses what is set here. So it says that a renewal is due, and the
// client sends a POST. Clients that never do keep the session alive by asking.
func (s *Server) getSession(x *exchange) error {
	readOnly, err := x.asksFor("disableRefresh")
	if err != nil {
		return err
	}
	look := s.cfg.Sessions.Touch
	if readOnly {
		look = s.cfg.Sessions.Read
	}
	m, err := s.member(x, look)
	if err != nil {
		return s.noSession(x, err)
	}
	if m.refresh == "" {
		return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, appendIdentity(nil, &m.holder.View, false))
	}
	g, err := s.cfg.Sessions.Access(m.reading)
	if err != nil {
		return err
	}
	return s.identify(x, g, m.reading.RenewalDue && !readOnly)
}

// renewSession is getSession, and redeems the refresh token.
func (s *Server) renewSession(x *exchange) error {
	if err := s.checkChange(x); err != nil {
		return err
	}
	if err := decodeCall(x, nil); err != nil {
		return err
	}
	bearer, cookies, err := s.betterCredentials(x)
	if err != nil {
		return err
	}
	if bearer != "" || len(cookies) == 0 { // nothing to redeem
		return s.getSession(x)
	}
	token, err := s.oneCookie(x, cookies)
	if err != nil {
		return err
	}
	g, err := s.cfg.Sessions.Refresh(x.Request().Context(), token, x.device())
	if err != nil {
		if err = s.refreshRefused(x, err, true); s.signedOut(err) {
			return answerSignedOut(x)
		}
		return err
	}
	x.sid = g.View.ID.String()
	s.jar.set(x, g, s.cfg.Now())
	return s.identify(x, g, false)
}

// noSession answers a reading that found nobody. The cookies of a session that is over
// go. A token that another one has replaced leaves them: the browser may hold that one.
func (s *Server) noSession(x *exchange, err error) error {
	if !s.signedOut(err) {
		return err
	}
	_, bearer := x.Request().Header[echo.HeaderAuthorization]
	if !bearer && over(err) && !errors.Is(err, session.ErrRefreshTokenReused) {
		s.jar.clear(x)
	}
	x.cause = err
	return answerSignedOut(x)
}

// answerSignedOut answers that nobody is signed in.
func answerSignedOut(x *exchange) error {
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, []byte(signedOutBody))
}

// identify answers with the session and the user, with the access token in a header and
// the cookie cache in a cookie.
func (s *Server) identify(x *exchange, g session.Grant, due bool) error {
	if err := s.remember(x, &g.View); err != nil {
		return err
	}
	x.header().Set("Set-Auth-Jwt", g.AccessToken)
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, appendIdentity(nil, &g.View, due))
}

// betterToken answers with an access token. One that came as bearer token is answered
// with itself: it must not outlive itself.
func (s *Server) betterToken(x *exchange) error {
	m, err := s.member(x, s.cfg.Sessions.Read)
	if err != nil {
		return err
	}
	token := m.bearer
	if token == "" {
		g, err := s.cfg.Sessions.Access(m.reading)
		if err != nil {
			return err
		}
		token = g.AccessToken
	}
	return writeJSON(x, http.StatusOK, struct {
		Token string `json:"token"`
	}{token})
}

// updateSession is for custom fields. The issuer declares none that users may change.
func (s *Server) updateSession(x *exchange) error {
	if err := s.checkChange(x); err != nil {
		return err
	}
	if err := decodeCall(x, nil); err != nil {
		return err
	}
	if _, err := s.member(x, s.cfg.Sessions.Read); err != nil {
		return err
	}
	return &refusal{code: codeInvalidRequest, better: "NO_FIELDS_TO_UPDATE", detail: "No field of the session can be updated."}
}

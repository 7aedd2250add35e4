package handlers

import (
	"errors"
	"net/http"

	"issuer.example/session"
	"issuer.example/sid"
)

// refresh redeems a refresh token. What it answers with comes back the way the token came.
// The access token is in the body either way: a page sends it to APIs on other sites.
func (s *Server) refresh(x *exchange) error {
	token, cookie, err := s.refreshToken(x)
	if err != nil {
		return err
	}
	g, err := s.cfg.Sessions.Refresh(x.Request().Context(), token, x.device())
	if err != nil {
		return s.refreshRefused(x, err, cookie)
	}
	x.sid = g.View.ID.String()
	now := s.cfg.Now()
	if cookie {
		s.jar.set(x, g, now)
		g.RefreshToken = ""
	}
	return answerGrant(x, http.StatusOK, &g, now)
}

// refreshRefused clears the cookies of a session that is over. Any other failure leaves
// them: the browser may hold newer ones than this request brought.
func (s *Server) refreshRefused(x *exchange, err error, cookie bool) error {
	if cookie && over(err) {
		s.jar.clear(x)
	}
	if guessed(err) {
		return s.penalise(x, err)
	}
	return err
}

// over reports whether a refresh token was refused for good.
func over(err error) bool {
	for _, end := range []error{
		session.ErrRefreshTokenInvalid, session.ErrRefreshTokenReused, session.ErrRevoked,
		session.ErrExpired, session.ErrIdle, session.ErrBindingMismatch,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// refreshToken finds the token to redeem, in the body or in a cookie. In both it must be
// of one session.
func (s *Server) refreshToken(x *exchange) (token string, cookie bool, err error) {
	var body struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := decodeOptional(x, &body); err != nil {
		return "", false, err
	}
	cookies, err := s.jar.values(x, s.jar.refresh)
	if err != nil {
		return "", false, err
	}
	switch {
	case body.RefreshToken != "":
		return body.RefreshToken, false, s.sameSession(x, body.RefreshToken, cookies)
	case len(cookies) == 0:
		return "", false, &refusal{code: codeRefreshInvalid, detail: "A refresh token is needed.", bare: true}
	}
	if err := s.origins.verify(x); err != nil {
		return "", false, err
	}
	token, err = s.oneCookie(x, cookies)
	return token, true, err
}

// sameSession refuses cookies of another live session than the token's. The cookies are
// left alone: it is not known which of the two is wanted. A token that is no good itself
// gets the refusal it deserves later on.
func (s *Server) sameSession(x *exchange, token string, cookies []string) error {
	if len(cookies) == 0 || len(cookies) == 1 && cookies[0] == token {
		return nil
	}
	others, err := s.liveSessions(x, cookies)
	if err != nil {
		return err
	}
	own, err := s.sessionOf(x, token)
	if len(others) > 1 || err == nil && len(others) == 1 && others[0] != own {
		return invalid("The token and the cookie are of different sessions.")
	}
	return nil
}

// oneCookie picks the cookie to redeem. Several cookies of one name mean that one may have
// been planted: each is tried, and only one session may be valid.
func (s *Server) oneCookie(x *exchange, cookies []string) (string, error) {
	if len(cookies) == 1 {
		return cookies[0], nil
	}
	var (
		token string
		live  sid.ID
	)
	for _, text := range cookies {
		id, err := s.sessionOf(x, text)
		switch {
		case errors.Is(err, session.ErrUnavailable):
			return "", err
		case err != nil:
		case token != "" && id != live:
			return "", s.ambiguous(x, unclear)
		default:
			token, live = text, id
		}
	}
	if token == "" { // none is good: any of them gets the refusal it deserves
		return s.worst(x, cookies), nil
	}
	return token, nil
}

// worst picks, among cookies that are all refused, the one whose refusal says most: a
// copied token must end its session even when a forged one stands before it.
func (s *Server) worst(x *exchange, cookies []string) string {
	for _, text := range cookies {
		if _, err := s.sessionOf(x, text); errors.Is(err, session.ErrRefreshTokenReused) {
			return text
		}
	}
	for _, text := range cookies {
		if _, err := s.sessionOf(x, text); !unusable(err) {
			return text
		}
	}
	return cookies[0]
}

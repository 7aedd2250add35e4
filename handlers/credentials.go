package handlers

import (
	"errors"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/sid"
)

// bearer is the token of the Authorization header, or "" if there is none
// (RFC 6750 §2.1).
func (x *exchange) bearer() (string, error) {
	headers := x.Request().Header[echo.HeaderAuthorization]
	switch {
	case len(headers) == 0:
		return "", nil
	case len(headers) > 1 || strings.ContainsAny(headers[0], "\t,") || strings.Count(headers[0], " ") > 1:
		return "", invalid("The request must have exactly one credential.")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", &refusal{code: codeTokenInvalid, detail: "The scheme must be Bearer.", bare: true}
	}
	if token == "" {
		return "", invalid("The Authorization header has no token.")
	}
	return token, nil
}

// holder demands an access token, as bearer or in its cookie. A browser may attach the
// cookie beside the bearer token; the two must then not be of different sessions.
func (s *Server) holder(x *exchange) (session.Holder, error) {
	bearer, err := x.bearer()
	if err != nil {
		return session.Holder{}, err
	}
	cookies, err := s.jar.values(x, s.jar.access)
	if err != nil {
		return session.Holder{}, err
	}
	var h session.Holder
	switch {
	case bearer != "":
		h, err = s.bearerHolder(x, bearer, cookies)
	case len(cookies) > 0:
		h, err = s.cookieHolder(x, cookies)
	default:
		err = &refusal{code: codeTokenInvalid, detail: "An access token is needed.", bare: true}
	}
	if err != nil {
		return session.Holder{}, err
	}
	x.sid = h.Claims.SessionID
	return h, nil
}

func (s *Server) bearerHolder(x *exchange, bearer string, cookies []string) (session.Holder, error) {
	h, err := s.authenticate(x, bearer)
	if err != nil {
		return h, err
	}
	for _, cookie := range cookies {
		if cookie == bearer {
			continue
		}
		other, err := s.cfg.Sessions.Authenticate(x.Request().Context(), cookie)
		if err == nil && other.View.ID != h.View.ID {
			return h, invalid("The bearer token and the cookie are of different sessions.")
		}
	}
	return h, nil
}

// cookieHolder tries each cookie. Two that are valid for different sessions mean that
// someone has planted one: neither counts, and both go.
func (s *Server) cookieHolder(x *exchange, cookies []string) (session.Holder, error) {
	if err := s.origins.verify(x); err != nil {
		return session.Holder{}, err
	}
	var (
		found   session.Holder
		refused error
	)
	for _, cookie := range cookies {
		h, err := s.authenticate(x, cookie)
		switch {
		case err != nil:
			refused = worse(refused, err)
		case found.Claims != nil && found.View.ID != h.View.ID:
			return session.Holder{}, s.ambiguous(x, unclear)
		default:
			found = h
		}
	}
	if found.Claims == nil {
		return session.Holder{}, refused
	}
	return found, nil
}

// unclear is what is said of cookies of more than one session.
const unclear = "The cookies are of more than one session; all have been cleared."

// ambiguous refuses cookies of more than one session, and clears them.
func (s *Server) ambiguous(x *exchange, detail string) error {
	s.jar.clear(x)
	return invalid(detail)
}

// authenticate accepts an access token of a live session. Guesses are counted.
func (s *Server) authenticate(x *exchange, token string) (session.Holder, error) {
	h, err := s.cfg.Sessions.Authenticate(x.Request().Context(), token)
	if err != nil && guessed(err) {
		err = s.penalise(x, err)
	}
	return h, err
}

// guessed reports whether a credential was made up by someone who tries their luck. What
// we issued once, and what no guess could ever make good, is none: an honest client that
// comes with it must not be slowed down.
func guessed(err error) bool {
	if jwt.Cause(err) == "" {
		return errors.Is(err, session.ErrForged)
	}
	for _, honest := range []error{
		jwt.ErrUnknownKey,                                   // its key is withdrawn
		jwt.ErrExpired, jwt.ErrNotYetValid, jwt.ErrIssuedAt, // the signature is good
		jwt.ErrIssuer, jwt.ErrAudience, // likewise: of an earlier name of ours, for another service
	} {
		if errors.Is(err, honest) {
			return false
		}
	}
	return true
}

// unusable reports whether a refusal says of a token no more than that it is no good.
func unusable(err error) bool {
	if errors.Is(err, session.ErrRefreshTokenInvalid) || errors.Is(err, session.ErrHandoffInvalid) {
		return true
	}
	return jwt.Cause(err) != "" && !errors.Is(err, jwt.ErrExpired)
}

// worse returns which of two refusals says more: that the store failed, then that a
// session has ended, then that a token is no good.
func worse(a, b error) error {
	switch {
	case a == nil:
		return b
	case errors.Is(a, session.ErrUnavailable):
		return a
	case errors.Is(b, session.ErrUnavailable) || unusable(a):
		return b
	}
	return a
}

// isRefreshToken reports whether a credential is meant to be a refresh token.
func isRefreshToken(text string) bool { return strings.HasPrefix(text, "rt_") }

// liveSessions finds the live sessions that credentials of either kind belong to, without
// using any up. What belongs to none is left out.
func (s *Server) liveSessions(x *exchange, credentials []string) ([]sid.ID, error) {
	var found []sid.ID
	for _, text := range credentials {
		id, err := s.sessionOf(x, text)
		if errors.Is(err, session.ErrUnavailable) {
			return nil, err
		}
		if err == nil && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found, nil
}

func (s *Server) sessionOf(x *exchange, text string) (sid.ID, error) {
	ctx := x.Request().Context()
	if isRefreshToken(text) {
		v, err := s.cfg.Sessions.Validate(ctx, text, x.device())
		return v.ID, err
	}
	h, err := s.cfg.Sessions.Authenticate(ctx, text)
	return h.View.ID, err
}

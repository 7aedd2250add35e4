package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"issuer.example/session"
)

// BetterAuth is about the routes for the better-auth client.
type BetterAuth struct {
	// BasePath is where they are, without a trailing slash. "" means /api/auth.
	BasePath string
	// ListRequiresFresh asks for a fresh authentication to list one's sessions.
	ListRequiresFresh bool
}

// betterAuthRoutes are what the better-auth client calls. They differ from /v1 in form
// only: credentials, cookies and what is allowed are the same code.
func (s *Server) betterAuthRoutes() []route {
	routes := []route{
		{method: "GET", path: "/ok", serve: s.betterOK},
		{method: "GET", path: "/get-session", serve: s.getSession},
		{method: "POST", path: "/get-session", serve: s.renewSession},
		{method: "GET", path: "/list-sessions", serve: s.listSessions},
		{method: "POST", path: "/revoke-session", serve: s.revokeSession},
		{method: "POST", path: "/revoke-sessions", serve: s.revokeEverySession},
		{method: "POST", path: "/revoke-other-sessions", serve: s.revokeOtherSessions},
		{method: "POST", path: "/revoke-all-sessions", serve: s.revokeEverySession},
		{method: "GET", path: "/revoke-all-sessions", serve: s.revokeEverySessionByGet},
		{method: "POST", path: "/sign-out", serve: s.betterSignOut},
		{method: "GET", path: "/token", serve: s.betterToken},
		{method: "GET", path: "/jwks", serve: s.betterJWKS},
		{method: "POST", path: "/update-session", serve: s.updateSession},
	}
	for i := range routes {
		routes[i].path = s.cfg.BetterAuth.BasePath + routes[i].path
	}
	return routes
}

// isBetterAuth reports whether a request is for those routes, or would be.
func (s *Server) isBetterAuth(x *exchange) bool {
	rest, ok := strings.CutPrefix(x.Request().URL.Path, s.cfg.BetterAuth.BasePath)
	return ok && x.listener.public && (rest == "" || rest[0] == '/')
}

func (s *Server) betterOK(x *exchange) error {
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, []byte(`{"ok":true}`))
}

func (s *Server) betterJWKS(x *exchange) error { return s.keySet(x, echo.MIMEApplicationJSON) }

// member is who calls, by the cookie that holds the refresh token or by an access token.
type member struct {
	holder session.Holder // its Claims are nil with a cookie
	bearer string         // the access token, if that is the credential
	// With a cookie:
	refresh string
	reading session.Reading
}

// read is how a refresh token is looked at: session.Service.Read or Touch.
type read func(ctx context.Context, refreshToken string, from session.Client) (session.Reading, error)

// member finds out who calls. Without any credential that is a codeTokenInvalid refusal.
func (s *Server) member(x *exchange, look read) (*member, error) {
	bearer, cookies, err := s.betterCredentials(x)
	switch {
	case err != nil:
		return nil, err
	case bearer != "":
		return s.memberByBearer(x, bearer, cookies)
	case len(cookies) == 0:
		return nil, &refusal{code: codeTokenInvalid, bare: true}
	}
	token, err := s.oneCookie(x, cookies)
	if err != nil {
		return nil, err
	}
	r, err := look(x.Request().Context(), token, x.device())
	if err != nil && guessed(err) {
		err = s.penalise(x, err)
	}
	if err != nil {
		return nil, err
	}
	x.sid = r.View.ID.String()
	return &member{holder: session.Holder{View: r.View}, refresh: token, reading: r}, nil
}

// betterCredentials are the access token and the refresh tokens of a request. Another scheme
// than Bearer is not for us: a site that is being built may stand behind a password.
func (s *Server) betterCredentials(x *exchange) (bearer string, cookies []string, err error) {
	if bearer, err = x.bearer(); err != nil && s.refuse(err).code != codeTokenInvalid {
		return "", nil, err
	}
	cookies, err = s.jar.values(x, s.jar.refresh)
	return bearer, cookies, err
}

func (s *Server) memberByBearer(x *exchange, bearer string, cookies []string) (*member, error) {
	if err := s.sameSession(x, bearer, cookies); err != nil {
		return nil, err
	}
	h, err := s.authenticate(x, bearer)
	if err != nil {
		return nil, err
	}
	x.sid = h.Claims.SessionID
	return &member{holder: h, bearer: bearer}, nil
}

// signedOut reports whether err says that nobody is signed in, as against that this is
// not known, or that more is asked of who is.
func (s *Server) signedOut(err error) bool {
	code := s.refuse(err).code
	_, found := unauthorized(code)
	return found && code != codeNotFresh
}

// asksFor reports whether the query has a flag.
func (x *exchange) asksFor(flag string) (bool, error) {
	value, _, err := x.query(flag)
	return slices.Contains([]string{"true", "1"}, value), err
}

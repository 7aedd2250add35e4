package handlers

import (
	"errors"
	"net/http"

	"issuer.example/session"
	"issuer.example/sid"
)

// signOut ends the session of the credential: an access or a refresh token, as bearer or
// in cookies. It is never rate limited, and repeating it is a success.
func (s *Server) signOut(x *exchange) error {
	given, err := s.signOutCredentials(x)
	if err != nil {
		return err
	}
	done, refused := s.signOutBy(x, given)
	switch {
	case done && refused == nil:
		s.jar.clear(x)
		return x.NoContent(http.StatusNoContent)
	case given.bearer == "" && !done && !errors.Is(refused, session.ErrUnavailable):
		s.jar.clear(x) // whoever signs out wants them gone
	}
	return refused
}

// credentials are all that a request to sign out brings.
type credentials struct {
	bearer  string
	cookies []string
	foreign bool // the cookies may have been sent by another site's page
}

// list is the bearer token, if there is one, and the cookies: foreign ones only if asked for.
func (c credentials) list(foreign bool) []string {
	var list []string
	if c.bearer != "" {
		list = append(list, c.bearer)
	}
	if foreign || !c.foreign {
		list = append(list, c.cookies...)
	}
	return list
}

// signOutBy ends what the credentials are good for. If that is nothing, it returns the
// refusal that says most, or nil if there is no credential. Credentials of more than one
// live session are refused like anywhere else, because a cookie may have been planted; but
// whoever signs out wants to be signed out of all that they have, so that is done first.
func (s *Server) signOutBy(x *exchange, given credentials) (done bool, refused error) {
	var live []sid.ID
	if len(given.list(true)) > 1 {
		var err error
		if live, err = s.liveSessions(x, given.list(true)); err != nil {
			return false, err
		}
	}
	for _, text := range given.list(false) {
		err := s.cfg.Sessions.SignOut(x.Request().Context(), text)
		switch {
		case err == nil:
			done = true
		case errors.Is(err, session.ErrUnavailable):
			return false, err
		default:
			refused = worse(refused, err)
		}
	}
	switch {
	case len(live) > 1:
		return done, s.ambiguous(x, "The credentials were of more than one session; they have been ended, and the cookies cleared.")
	case done:
		return true, nil
	}
	return false, refused
}

// signOutCredentials finds what to sign out by.
func (s *Server) signOutCredentials(x *exchange) (credentials, error) {
	bearer, err := x.bearer()
	if err != nil {
		return credentials{}, err
	}
	given, err := s.withCookies(x, bearer)
	switch {
	case err != nil:
		return given, err
	case bearer == "" && len(given.cookies) == 0:
		return given, &refusal{code: codeTokenInvalid, detail: "An access or refresh token is needed.", bare: true}
	case len(given.cookies) == 0:
		return given, nil
	}
	err = s.origins.verify(x)
	if given.foreign = err != nil; bearer != "" {
		err = nil // the bearer token stands for itself
	}
	return given, err
}

// withCookies are a bearer token, or none, and the tokens that a browser has in its cookies.
func (s *Server) withCookies(x *exchange, bearer string) (credentials, error) {
	refresh, err := s.jar.values(x, s.jar.refresh)
	if err != nil {
		return credentials{}, err
	}
	access, err := s.jar.values(x, s.jar.access)
	return credentials{bearer: bearer, cookies: append(refresh, access...)}, err
}

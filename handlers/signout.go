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
	credentials, cookie, err := s.signOutCredentials(x)
	if err != nil {
		return err
	}
	done, refused := s.signOutBy(x, credentials, cookie)
	switch {
	case done && refused == nil:
		s.jar.clear(x)
		return x.NoContent(http.StatusNoContent)
	case cookie && !errors.Is(refused, session.ErrUnavailable):
		s.jar.clear(x) // whoever signs out wants them gone
	}
	return refused
}

// signOutBy ends what the credentials are good for. If that is nothing, it returns the
// refusal that says most, or nil if there is no credential. Cookies of more than one live
// session are refused like anywhere else, because one may have been planted; but whoever
// signs out wants to be signed out of all that the browser has, so that is done first.
func (s *Server) signOutBy(x *exchange, credentials []string, cookie bool) (done bool, refused error) {
	var live []sid.ID
	if cookie && len(credentials) > 1 {
		var err error
		if live, err = s.liveSessions(x, credentials); err != nil {
			return false, err
		}
	}
	for _, text := range credentials {
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
		return done, s.ambiguous(x, "The cookies were of more than one session; all have been ended and cleared.")
	case done:
		return true, nil
	}
	return false, refused
}

// signOutCredentials lists what to sign out by, the best first; cookie says that there are
// only cookies. A bearer token and cookies beside it must be of one session.
func (s *Server) signOutCredentials(x *exchange) (credentials []string, cookie bool, err error) {
	bearer, err := x.bearer()
	if err != nil {
		return nil, false, err
	}
	cookies, err := s.signOutCookies(x)
	switch {
	case err != nil:
		return nil, false, err
	case bearer == "" && len(cookies) == 0:
		return nil, false, &refusal{code: codeTokenInvalid, detail: "An access or refresh token is needed.", bare: true}
	case len(cookies) == 0:
		return []string{bearer}, false, nil
	case bearer != "":
		credentials = []string{bearer}
		if s.origins.verify(x) == nil { // an expired access token may stand beside a good cookie
			credentials = append(credentials, cookies...)
		}
		return credentials, false, s.sameSession(x, bearer, cookies)
	}
	return cookies, true, s.origins.verify(x)
}

// signOutCookies are the tokens that a browser has in its cookies.
func (s *Server) signOutCookies(x *exchange) ([]string, error) {
	refresh, err := s.jar.values(x, s.jar.refresh)
	if err != nil {
		return nil, err
	}
	access, err := s.jar.values(x, s.jar.access)
	return append(refresh, access...), err
}

package handlers

import (
	"errors"
	"net/http"

	"issuer.example/session"
)

// signOut ends the session of the credential: an access or a refresh token, as bearer or
// in cookies. It is never rate limited, and repeating it is a success.
func (s *Server) signOut(x *exchange) error {
	credentials, cookie, err := s.signOutCredentials(x)
	if err != nil {
		return err
	}
	done, refused := s.signOutBy(x, credentials)
	if done {
		s.jar.clear(x)
		return x.NoContent(http.StatusNoContent)
	}
	if cookie && !errors.Is(refused, session.ErrUnavailable) {
		s.jar.clear(x) // whoever signs out wants them gone
	}
	return refused
}

// signOutBy signs out by the first of the credentials that is good. If none is, it returns
// the refusal that says most, or nil if there is no credential.
func (s *Server) signOutBy(x *exchange, credentials []string) (done bool, refused error) {
	for _, text := range credentials {
		err := s.cfg.Sessions.SignOut(x.Request().Context(), text)
		if err == nil {
			return true, nil
		}
		refused = worse(refused, err)
	}
	return false, refused
}

// signOutCredentials lists what to sign out by, the best first. All that the request
// brings must be of one session.
func (s *Server) signOutCredentials(x *exchange) (credentials []string, cookie bool, err error) {
	bearer, err := x.bearer()
	if err != nil {
		return nil, false, err
	}
	cookies, err := s.jar.values(x, s.jar.refresh)
	if err != nil {
		return nil, false, err
	}
	access, err := s.jar.values(x, s.jar.access)
	if err != nil {
		return nil, false, err
	}
	cookies = append(cookies, access...)
	switch {
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
	if err := s.origins.verify(x); err != nil {
		return nil, true, err
	}
	live, err := s.liveSessions(x, cookies)
	if err == nil && len(live) > 1 {
		err = s.ambiguous(x)
	}
	return cookies, true, err
}

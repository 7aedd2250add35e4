package handlers

import (
	"net/http"

	"issuer.example/session"
	"issuer.example/sid"
)

// current answers with the holder's session.
func (s *Server) current(x *exchange) error {
	h, err := s.holder(x)
	if err != nil {
		return err
	}
	return answerSession(x, &h.View, true)
}

// list answers with the holder's live sessions, or to a backend with those of any user.
func (s *Server) list(x *exchange) error {
	userID, asked, err := x.query("user_id")
	if err != nil {
		return err
	}
	if x.isService() {
		if err := s.service(x, ScopeRead); err != nil {
			return err
		}
		if err := checkUserID(userID); err != nil {
			return err
		}
		views, err := s.cfg.Sessions.List(x.Request().Context(), userID)
		if err != nil {
			return err
		}
		return answerSessions(x, views, sid.ID{})
	}
	h, err := s.holder(x)
	if err != nil {
		return err
	}
	if asked {
		return &refusal{code: codeForbidden, detail: "Only a service key may ask for a user.", scope: ScopeRead}
	}
	views, err := s.cfg.Sessions.ListOwn(x.Request().Context(), h)
	if err != nil {
		return err
	}
	return answerSessions(x, views, h.View.ID)
}

// show answers with one session, live or ended: any to a backend, their own to a holder.
func (s *Server) show(x *exchange) error {
	h, err := s.holderOrService(x, ScopeRead)
	if err != nil {
		return err
	}
	id, err := x.sessionID()
	if err != nil {
		return err
	}
	if h == nil {
		v, err := s.cfg.Sessions.Get(x.Request().Context(), id)
		if err != nil {
			return err
		}
		return answerSession(x, &v, false)
	}
	v, err := s.cfg.Sessions.GetOwn(x.Request().Context(), *h, id)
	if err != nil {
		return err
	}
	return answerSession(x, &v, v.ID == h.View.ID)
}

// revoke ends one session: any for a backend, their own for a holder.
func (s *Server) revoke(x *exchange) error {
	h, err := s.holderOrService(x, ScopeRevoke)
	if err != nil {
		return err
	}
	id, err := x.sessionID()
	if err != nil {
		return err
	}
	if h == nil {
		err = s.cfg.Sessions.Revoke(x.Request().Context(), id, session.Cause{Reason: session.ReasonServiceRevoked, By: x.client})
	} else {
		err = s.cfg.Sessions.RevokeOwn(x.Request().Context(), *h, id)
	}
	if err != nil {
		return err
	}
	if h != nil && id == h.View.ID {
		s.jar.clear(x)
	}
	return x.NoContent(http.StatusNoContent)
}

// revokeOthers ends the holder's sessions but this one.
func (s *Server) revokeOthers(x *exchange) error {
	h, err := s.holder(x)
	if err != nil {
		return err
	}
	n, err := s.cfg.Sessions.RevokeOthers(x.Request().Context(), h)
	if err != nil {
		return err
	}
	return answerRevoked(x, n)
}

// revokeAll ends all of the holder's sessions, this one included.
func (s *Server) revokeAll(x *exchange) error {
	h, err := s.holder(x)
	if err != nil {
		return err
	}
	n, err := s.cfg.Sessions.RevokeAll(x.Request().Context(), h)
	if err != nil {
		return err
	}
	s.jar.clear(x)
	return answerRevoked(x, n)
}

// revokeUser ends all sessions of a user, for a backend.
func (s *Server) revokeUser(x *exchange) error {
	if err := s.service(x, ScopeRevoke); err != nil {
		return err
	}
	return s.revokeUserFor(x, session.ReasonServiceRevoked)
}

func (s *Server) revokeUserFor(x *exchange, reason session.Reason) error {
	userID, err := x.userID()
	if err != nil {
		return err
	}
	n, err := s.cfg.Sessions.RevokeUser(x.Request().Context(), userID, session.Cause{Reason: reason, By: x.client})
	if err != nil {
		return err
	}
	return answerRevoked(x, n)
}

// holderOrService returns the holder, or nil for a service key of that scope.
func (s *Server) holderOrService(x *exchange, scope string) (*session.Holder, error) {
	if x.isService() {
		return nil, s.service(x, scope)
	}
	h, err := s.holder(x)
	if err != nil {
		return nil, err
	}
	return &h, nil
}

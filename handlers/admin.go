package handlers

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/sid"
)

// How many ended sessions an answer holds: what it is if nothing is asked, and at most.
const (
	defaultHistory = 100
	maxHistory     = 1000
)

// adminSessions answers with a user's live sessions and with those that have ended.
func (s *Server) adminSessions(x *exchange) error {
	userID, _, err := x.query("user_id")
	if err != nil {
		return err
	}
	if err := checkUserID(userID); err != nil {
		return err
	}
	limit, err := x.limit()
	if err != nil {
		return err
	}
	live, err := s.cfg.Sessions.List(x.Request().Context(), userID)
	if err != nil {
		return err
	}
	ended, err := s.cfg.Sessions.History(x.Request().Context(), userID, limit)
	if err != nil {
		return err
	}
	b := appendSessions([]byte(`{"sessions":`), live, sid.ID{})
	b = appendSessions(append(b, `,"history":`...), ended, sid.ID{})
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, append(b, '}'))
}

func (x *exchange) limit() (int, error) {
	text, given, err := x.query("limit")
	if err != nil || !given {
		return defaultHistory, err
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxHistory {
		return 0, &refusal{code: codeInvalidRequest, field: "limit", detail: "The limit must be 1 to 1000."}
	}
	return limit, nil
}

func checkUserID(id string) error {
	if err := jwt.ValidSubject(id); err != nil {
		return &refusal{
			code: codeInvalidRequest, field: "user_id",
			detail: "The user_id must be 1 to 255 bytes of UTF-8 without control characters.",
		}
	}
	return nil
}

// adminSession answers with one session, live or ended.
func (s *Server) adminSession(x *exchange) error {
	id, err := x.sessionID()
	if err != nil {
		return err
	}
	v, err := s.cfg.Sessions.Get(x.Request().Context(), id)
	if err != nil {
		return err
	}
	return answerSession(x, &v, false)
}

// adminRevoke ends one session.
func (s *Server) adminRevoke(x *exchange) error {
	id, err := x.sessionID()
	if err != nil {
		return err
	}
	cause := session.Cause{Reason: session.ReasonAdminRevoked, By: x.client}
	if err := s.cfg.Sessions.Revoke(x.Request().Context(), id, cause); err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// adminRevokeUser ends all sessions of a user.
func (s *Server) adminRevokeUser(x *exchange) error {
	return s.revokeUserFor(x, session.ReasonAdminRevoked)
}

// checkClient refuses the name of a client that there is not, and never was as far as
// sessions show: a service key may be gone from the configuration before its sessions are.
func (s *Server) checkClient(x *exchange, name string) error {
	if s.keys.has(name) {
		return nil
	}
	found, err := s.cfg.Sessions.HasClient(x.Request().Context(), name)
	if err == nil && !found {
		err = &refusal{code: codeNotFound, field: "client_id", detail: "There is no such client, and no live session of one."}
	}
	return err
}

// adminMark ends all sessions of a client, or all there are.
func (s *Server) adminMark(x *exchange) error {
	var body struct {
		ClientID   string `json:"client_id"`
		Everything bool   `json:"everything"`
	}
	if err := decode(x, &body); err != nil {
		return err
	}
	var err error
	switch {
	case body.Everything == (body.ClientID != ""):
		return invalid("The body must have either client_id or everything: true.")
	case body.Everything:
		err = s.cfg.Sessions.RevokeEverything(x.Request().Context(), session.Cause{Reason: session.ReasonAdminRevoked, By: x.client})
	default:
		if err := jwt.ValidSubject(body.ClientID); err != nil {
			return &refusal{code: codeInvalidRequest, field: "client_id", detail: "The client_id is not well-formed."}
		}
		if err := s.checkClient(x, body.ClientID); err != nil {
			return err
		}
		cause := session.Cause{Reason: session.ReasonClientRevoked, By: x.client}
		err = s.cfg.Sessions.RevokeClient(x.Request().Context(), body.ClientID, cause)
	}
	if err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

package admin

import (
	"net/http"
	"strconv"

	"issuer.example/handlers/exchange"
	"issuer.example/handlers/sessionjson"
	"issuer.example/jwt"
	"issuer.example/session"
)

// How many ended sessions an answer has: unless the query asks for another number, and at most.
const (
	defaultHistory = 100
	maxHistory     = 1000
)

// sessions answers with a user's live and ended sessions.
func (h *Handlers) sessions(x *exchange.Exchange) error {
	userID, _, err := x.Query("user_id")
	if err != nil {
		return err
	}
	if err := exchange.CheckUserID(userID); err != nil {
		return err
	}
	limit, err := historyLimit(x)
	if err != nil {
		return err
	}
	live, err := h.cfg.Sessions.List(x.Context(), userID)
	if err != nil {
		return err
	}
	ended, err := h.cfg.Sessions.History(x.Context(), userID, limit)
	if err != nil {
		return err
	}
	return sessionjson.AnswerHistory(x, live, ended)
}

func historyLimit(x *exchange.Exchange) (int, error) {
	text, given, err := x.Query("limit")
	if err != nil || !given {
		return defaultHistory, err
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxHistory {
		return 0, exchange.InvalidField("limit", "The limit must be 1 to 1000.")
	}
	return limit, nil
}

// session answers with one session, live or ended.
func (h *Handlers) session(x *exchange.Exchange) error {
	id, err := exchange.SessionIDParam(x)
	if err != nil {
		return err
	}
	v, err := h.cfg.Sessions.Get(x.Context(), id)
	if err != nil {
		return err
	}
	return sessionjson.AnswerAdmin(x, &v)
}

// revokeSession ends one session.
func (h *Handlers) revokeSession(x *exchange.Exchange) error {
	id, err := exchange.SessionIDParam(x)
	if err != nil {
		return err
	}
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	if err := h.cfg.Sessions.Revoke(x.Context(), id, adminCause(x, session.ReasonAdminRevoked)); err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// revokeUser ends the sessions of a user. read says whom the request means.
func (h *Handlers) revokeUser(
	read func(*exchange.Exchange, session.Cause) (session.RevokeUserRequest, error),
) func(*exchange.Exchange) error {
	return func(x *exchange.Exchange) error {
		req, err := read(x, adminCause(x, session.ReasonAdminRevoked))
		if err != nil {
			return err
		}
		n, err := h.cfg.Sessions.RevokeUser(x.Context(), req)
		if err != nil {
			return err
		}
		return sessionjson.AnswerRevoked(x, n)
	}
}

// revokeMany ends all sessions of a client, or all there are.
func (h *Handlers) revokeMany(x *exchange.Exchange) error {
	var body struct {
		ClientID   string `json:"client_id"`
		Everything bool   `json:"everything"`
	}
	if err := x.DecodeJSON(&body); err != nil {
		return err
	}
	var err error
	switch {
	case body.Everything == (body.ClientID != ""):
		return exchange.Invalid("The body must have either client_id or everything: true.")
	case body.Everything:
		err = h.cfg.Sessions.RevokeEverything(x.Context(), adminCause(x, session.ReasonAdminRevoked))
	default:
		if err := h.checkClient(x, body.ClientID); err != nil {
			return err
		}
		err = h.cfg.Sessions.RevokeClient(x.Context(), body.ClientID, adminCause(x, session.ReasonClientRevoked))
	}
	if err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// checkClient refuses the name of a client that has neither a service key nor a live session: a key may
// be gone from the configuration before its sessions have ended.
func (h *Handlers) checkClient(x *exchange.Exchange, name string) error {
	if err := jwt.ValidSubject(name); err != nil {
		return exchange.InvalidField("client_id", "The client_id is not well-formed.")
	}
	if h.cfg.Auth.Clients.Has(name) {
		return nil
	}
	found, err := h.cfg.Sessions.HasClient(x.Context(), name)
	if err == nil && !found {
		err = &exchange.Refusal{
			Code: exchange.CodeNotFound, Field: "client_id", Detail: "There is no such client, and no live session of one.",
		}
	}
	return err
}

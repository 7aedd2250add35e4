package v1

import (
	"net/http"

	"issuer.example/client"
	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/handlers/sessionjson"
	"issuer.example/session"
	"issuer.example/sid"
)

// current answers with the holder's session.
func (h *Handlers) current(x *exchange.Exchange) error {
	caller, err := h.auth.Holder(x)
	if err != nil {
		return err
	}
	return sessionjson.Answer(x, &caller.Holder.View, true)
}

// list answers with the holder's live sessions, or to a backend with those of any user.
func (h *Handlers) list(x *exchange.Exchange) error {
	userID, given, err := x.Query("user_id")
	if err != nil {
		return err
	}
	caller, err := h.auth.HolderOrClient(x, client.ScopeRead)
	switch {
	case err != nil:
		return err
	case caller.Kind == credential.KindClient:
		return h.listUser(x, userID)
	case given:
		return credential.MissingScope("Only a service key may ask for a user.", client.ScopeRead)
	}
	views, err := h.sessions.ListOwn(x.Context(), caller.Holder)
	if err != nil {
		return err
	}
	return sessionjson.AnswerList(x, views, caller.Holder.View.ID)
}

func (h *Handlers) listUser(x *exchange.Exchange, userID string) error {
	if err := exchange.CheckUserID(userID); err != nil {
		return err
	}
	views, err := h.sessions.List(x.Context(), userID)
	if err != nil {
		return err
	}
	return sessionjson.AnswerList(x, views, sid.ID{})
}

// get answers with one session, live or ended: any to a backend, their own to a holder.
func (h *Handlers) get(x *exchange.Exchange) error {
	caller, err := h.auth.HolderOrClient(x, client.ScopeRead)
	if err != nil {
		return err
	}
	id, err := exchange.SessionIDParam(x)
	if err != nil {
		return err
	}
	var view session.View
	if caller.Kind == credential.KindClient {
		view, err = h.sessions.Get(x.Context(), id)
	} else {
		view, err = h.sessions.GetOwn(x.Context(), caller.Holder, id)
	}
	if err != nil {
		return err
	}
	return sessionjson.Answer(x, &view, caller.Kind == credential.KindHolder && id == caller.Holder.View.ID)
}

// revoke ends one session: any for a backend, their own for a holder.
func (h *Handlers) revoke(x *exchange.Exchange) error {
	caller, err := h.auth.HolderOrClient(x, client.ScopeRevoke)
	if err != nil {
		return err
	}
	id, err := exchange.SessionIDParam(x)
	if err != nil {
		return err
	}
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	if caller.Kind == credential.KindClient {
		err = h.sessions.Revoke(x.Context(), id, session.Cause{Reason: session.ReasonServiceRevoked, By: caller.Client.Name})
	} else {
		err = h.sessions.RevokeOwn(x.Context(), caller.Holder, id)
	}
	if err != nil {
		return err
	}
	if caller.Kind == credential.KindHolder && id == caller.Holder.View.ID {
		h.auth.Jar.Clear(x)
	}
	return x.NoContent(http.StatusNoContent)
}

// revokeOthers ends the holder's sessions except this one.
func (h *Handlers) revokeOthers(x *exchange.Exchange) error {
	caller, err := h.auth.Holder(x)
	if err != nil {
		return err
	}
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	n, err := h.sessions.RevokeOthers(x.Context(), caller.Holder)
	if err != nil {
		return err
	}
	return sessionjson.AnswerRevoked(x, n)
}

// revokeAll ends all of the holder's sessions, this one included.
func (h *Handlers) revokeAll(x *exchange.Exchange) error {
	caller, err := h.auth.Holder(x)
	if err != nil {
		return err
	}
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	n, err := h.sessions.RevokeAll(x.Context(), caller.Holder)
	if err != nil {
		return err
	}
	h.auth.Jar.Clear(x)
	return sessionjson.AnswerRevoked(x, n)
}

// revokeUser ends the sessions of a user, for a backend. read says whom the request means.
func (h *Handlers) revokeUser(
	read func(*exchange.Exchange, session.Cause) (session.RevokeUserRequest, error),
) func(*exchange.Exchange) error {
	return func(x *exchange.Exchange) error {
		caller, err := h.auth.Clients.Require(x, client.ScopeRevoke)
		if err != nil {
			return err
		}
		req, err := read(x, session.Cause{Reason: session.ReasonServiceRevoked, By: caller.Client.Name})
		if err != nil {
			return err
		}
		n, err := h.sessions.RevokeUser(x.Context(), req)
		if err != nil {
			return err
		}
		return sessionjson.AnswerRevoked(x, n)
	}
}

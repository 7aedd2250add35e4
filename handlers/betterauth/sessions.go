package betterauth

import (
	"errors"
	"net/http"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/sid"
)

// listSessions answers with the caller's live sessions.
func (h *Handlers) listSessions(x *exchange.Exchange) error {
	caller, err := h.auth.Member(x, h.sessions.Read)
	if err != nil {
		return err
	}
	if h.options.ListRequiresFresh {
		if err := h.sessions.RequireFresh(caller.Holder); err != nil {
			return err
		}
	}
	views, err := h.sessions.ListOwn(x.Context(), caller.Holder)
	if err != nil {
		return err
	}
	return x.Blob(http.StatusOK, mediaType, appendList(nil, views, caller.Holder.View.ID))
}

// revokeBody names a session in one of the ways that clients do.
type revokeBody struct {
	Token     string `json:"token"`
	ID        string `json:"id"`
	SessionID string `json:"sessionId"`
}

// sessionName returns the one name of a session in the body.
func (b *revokeBody) sessionName() (string, error) {
	name := ""
	for _, given := range []string{b.Token, b.ID, b.SessionID} {
		if given != "" && name != "" && given != name {
			return "", refuseBody("The body names two sessions.")
		}
		name = max(name, given)
	}
	if name == "" {
		return "", refuseBody("The body must name a session: token or id.")
	}
	return name, nil
}

func refuseBody(detail string) error {
	return &exchange.Refusal{Code: exchange.CodeInvalidRequest, Detail: detail, Err: errValidation}
}

// revokeSession ends one of the caller's sessions. One that does not exist, or is another user's, is a
// success without effect, so that the answer does not tell the two apart.
func (h *Handlers) revokeSession(x *exchange.Exchange) error {
	var body revokeBody
	caller, err := h.authorizeChange(x, &body)
	if err != nil {
		return err
	}
	name, err := body.sessionName()
	if err != nil {
		return err
	}
	id, err := sid.Parse(name)
	if err != nil {
		return answerStatus(x)
	}
	err = h.sessions.RevokeOwn(x.Context(), caller.Holder, id)
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		return err
	}
	if id == caller.Holder.View.ID {
		h.auth.Jar.Clear(x)
	}
	return answerStatus(x)
}

// revokeAllSessions ends all of the caller's sessions, this one too.
func (h *Handlers) revokeAllSessions(x *exchange.Exchange) error {
	caller, err := h.authorizeChange(x, nil)
	if err != nil {
		return err
	}
	return h.revokeAllOf(x, caller)
}

// revokeAllSessionsByGet is what a better-auth client without our plugin sends for revokeAllSessions(): it
// sends a call without a body as GET.
func (h *Handlers) revokeAllSessionsByGet(x *exchange.Exchange) error {
	if err := h.checkChangeByGet(x); err != nil {
		return err
	}
	caller, err := h.auth.Member(x, h.sessions.Read)
	if err != nil {
		return err
	}
	return h.revokeAllOf(x, caller)
}

func (h *Handlers) revokeAllOf(x *exchange.Exchange, caller credential.Caller) error {
	if _, err := h.sessions.RevokeAll(x.Context(), caller.Holder); err != nil {
		return err
	}
	h.auth.Jar.Clear(x)
	return answerStatus(x)
}

// revokeOtherSessions ends the caller's sessions except this one.
func (h *Handlers) revokeOtherSessions(x *exchange.Exchange) error {
	caller, err := h.authorizeChange(x, nil)
	if err != nil {
		return err
	}
	if _, err := h.sessions.RevokeOthers(x.Context(), caller.Holder); err != nil {
		return err
	}
	return answerStatus(x)
}

// authorizeChange returns the caller of a change, after the checks of its origin and its body. With a nil body
// the change has no parameters, and a body that names some is refused: see [exchange.Exchange.RequireNoMembers].
func (h *Handlers) authorizeChange(x *exchange.Exchange, body any) (credential.Caller, error) {
	if err := h.checkChange(x); err != nil {
		return credential.Caller{}, err
	}
	caller, err := h.auth.Member(x, h.sessions.Read)
	if err != nil {
		return credential.Caller{}, err
	}
	if body == nil {
		return caller, x.RequireNoMembers()
	}
	return caller, x.DecodeLenientJSON(body)
}

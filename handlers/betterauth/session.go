package betterauth

import (
	"errors"
	"fmt"
	"net/http"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

// setAuthJWT is the header with an access token.
const setAuthJWT = "Set-Auth-Jwt"

// getSession says who is signed in. It never redeems the refresh token: a server that renders a page with
// the browser's cookies would lose the new one. Instead it says when a renewal is due, and the client sends
// a POST. Clients that never do keep the session alive by this call.
func (h *Handlers) getSession(x *exchange.Exchange) error {
	readOnly, err := hasFlag(x, "disableRefresh")
	if err != nil {
		return err
	}
	look := h.sessions.Touch
	if readOnly {
		look = h.sessions.Read
	}
	caller, err := h.auth.Member(x, look)
	if err != nil {
		return h.answerNoSession(x, err)
	}
	if caller.Kind == credential.KindHolder {
		return x.Blob(http.StatusOK, mediaType, appendIdentity(nil, &caller.Holder.View, false))
	}
	g, err := h.sessions.Access(caller.Reading)
	if err != nil {
		return h.answerNoSession(x, err)
	}
	return h.answerIdentity(x, g, caller.Reading.RenewalDue && !readOnly, !h.byBearer(x))
}

// byBearer reports whether the request has a bearer token, so that no cookie is set.
func (h *Handlers) byBearer(x *exchange.Exchange) bool {
	bearer, _, err := h.auth.MemberTokens(x)
	return err == nil && bearer != ""
}

// renewSession is getSession, but redeems the refresh token. The next one goes the way that it came: in the
// cookie, or for clients with the bearer plugin in a header.
func (h *Handlers) renewSession(x *exchange.Exchange) error {
	if err := h.checkChange(x); err != nil {
		return err
	}
	if err := x.DecodeLenientJSON(nil); err != nil {
		return err
	}
	renewal, err := h.auth.MemberRenewal(x)
	switch {
	case err != nil:
		return err
	case renewal.Token == "": // nothing to redeem
		return h.getSession(x)
	}
	g, err := h.auth.Redeem(x, renewal.Token, renewal.ByCookie)
	switch {
	case err == nil:
	case isSignedOut(err):
		return answerSignedOut(x)
	default:
		return err
	}
	if renewal.ByBearer {
		x.Header().Set("Set-Auth-Token", g.RefreshToken)
	}
	return h.answerIdentity(x, g, false, renewal.ByCookie)
}

// answerNoSession answers a getSession that err refused. The cookies of a session that has ended, or of
// another system, are cleared. A token that has been redeemed leaves them: the browser may hold its
// successor.
func (h *Handlers) answerNoSession(x *exchange.Exchange, err error) error {
	if !isSignedOut(err) {
		return err
	}
	if !h.byBearer(x) && credential.IsTerminal(err) && !errors.Is(err, session.ErrRefreshTokenReused) {
		h.auth.Jar.Clear(x)
	}
	x.Log.Refused = err
	return answerSignedOut(x)
}

// answerSignedOut answers that nobody is signed in: the client takes any other body of status 200 for a
// session.
func answerSignedOut(x *exchange.Exchange) error {
	return x.Blob(http.StatusOK, mediaType, []byte("null"))
}

// answerIdentity answers with the session and the user, the access token in a header and, to a browser, the
// cookie cache. An access token that the answer also sets as a cookie is left out of the headers if they have
// no room for it.
func (h *Handlers) answerIdentity(x *exchange.Exchange, g session.Grant, renewalDue, byCookie bool) error {
	if !byCookie || g.RefreshToken == "" || x.HeaderFits(setAuthJWT, g.AccessToken) {
		x.Header().Set(setAuthJWT, g.AccessToken)
	}
	if byCookie {
		if err := h.cache.set(x, &g.View); err != nil {
			return err
		}
	}
	return x.Blob(http.StatusOK, mediaType, appendIdentity(nil, &g.View, renewalDue))
}

// token answers with an access token. One that came as bearer token is answered with itself, so that it
// cannot extend its own life.
func (h *Handlers) token(x *exchange.Exchange) error {
	caller, err := h.auth.Member(x, h.sessions.Read)
	if err != nil {
		return err
	}
	token := caller.AccessToken
	if caller.Kind == credential.KindMember {
		g, err := h.sessions.Access(caller.Reading)
		if err != nil {
			return err
		}
		token = g.AccessToken
	}
	return x.JSON(http.StatusOK, struct {
		Token string `json:"token"`
	}{token})
}

// updateSession is for custom fields. The issuer has none that users may change.
func (h *Handlers) updateSession(x *exchange.Exchange) error {
	if err := h.checkChange(x); err != nil {
		return err
	}
	if err := x.DecodeLenientJSON(nil); err != nil {
		return err
	}
	if _, err := h.auth.Member(x, h.sessions.Read); err != nil {
		return err
	}
	return &exchange.Refusal{
		Code: exchange.CodeInvalidRequest, Detail: "No field of the session can be updated.", Err: errNoFields,
	}
}

// signOut ends the caller's session. It is a success if nobody is signed in, but not if a bearer token may
// be of a session that cannot be ended by it, because the key that signed the token is gone.
func (h *Handlers) signOut(x *exchange.Exchange) error {
	if err := h.checkChange(x); err != nil {
		return err
	}
	if err := x.DecodeLenientJSON(nil); err != nil {
		return err
	}
	tokens, err := h.auth.MemberSignOutTokens(x)
	if err != nil {
		return err
	}
	switch _, err := h.auth.SignOut(x, tokens); {
	case err == nil:
	case !tokens.ByCookie() && credential.IsUnverifiable(err):
		return &exchange.Refusal{Code: exchange.CodeTokenInvalid, Err: fmt.Errorf("%w: %w", errKeyGone, err)}
	case !isSignedOut(err):
		return err
	}
	h.auth.Jar.Clear(x)
	return x.Blob(http.StatusOK, mediaType, []byte(`{"success":true}`))
}

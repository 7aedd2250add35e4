package credential

import (
	"context"

	"issuer.example/client"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

// Holder demands an access token of a live session, as bearer token or in the access cookie.
func (a *Authenticator) Holder(x *exchange.Exchange) (Caller, error) {
	bearer, err := bearerToken(x)
	if err != nil {
		return Caller{}, err
	}
	cookies, err := a.ownCookies(x, a.Jar.access)
	switch {
	case err != nil:
		return Caller{}, err
	case bearer == "" && len(cookies) == 0:
		return Caller{}, unauthorized("An access token is needed.")
	case bearer == "":
		if err := a.Origins.CheckChange(x); err != nil {
			return Caller{}, err
		}
	}
	chosen, err := a.tokens.choose(x, present(bearer, accessToken), presentAll(cookies, accessToken))
	if err != nil {
		return Caller{}, err
	}
	return a.holder(x, chosen)
}

// holder is the caller who presented an access token.
func (a *Authenticator) holder(x *exchange.Exchange, chosen *presented) (Caller, error) {
	if err := a.tokens.look(x, chosen); err != nil {
		return Caller{}, a.CountForgery(x, err)
	}
	x.Log.SessionID = chosen.view.ID.String()
	return Caller{Kind: KindHolder, Holder: chosen.holder, AccessToken: chosen.text}, nil
}

// HolderOrClient demands an access token, or a service key with that scope.
func (a *Authenticator) HolderOrClient(x *exchange.Exchange, scope client.Scope) (Caller, error) {
	if hasServiceKey(x) {
		return a.Clients.Require(x, scope)
	}
	return a.Holder(x)
}

// Look reads the session of a member's refresh token: it is [session.Service.Read], or
// [session.Service.Touch] to move the idle end of the session as well.
type Look func(ctx context.Context, refreshToken string, from session.Device) (session.Reading, error)

// Member demands the refresh token of a live session in the session cookie, which is not redeemed,
// or an access token as bearer token. The caller is a member or a holder.
func (a *Authenticator) Member(x *exchange.Exchange, look Look) (Caller, error) {
	bearer, cookies, err := a.MemberTokens(x)
	switch {
	case err != nil:
		return Caller{}, err
	case bearer == "" && len(cookies) == 0:
		return Caller{}, unauthorized("")
	}
	chosen, err := a.tokens.choose(x, present(bearer, accessToken), presentAll(cookies, anyToken))
	if err != nil {
		return Caller{}, err
	}
	if bearer != "" {
		return a.holder(x, chosen)
	}
	reading, err := session.Reading{}, chosen.err
	if err == nil {
		reading, err = look(x.Context(), chosen.text, x.Device())
	}
	if err != nil {
		return Caller{}, a.CountForgery(x, err)
	}
	x.Log.SessionID = reading.View.ID.String()
	return Caller{Kind: KindMember, Holder: session.Holder{View: reading.View}, Reading: reading}, nil
}

// MemberTokens returns the bearer token and the tokens of the session cookies. An Authorization
// header with another scheme is ignored, because a proxy may protect a test site with HTTP Basic.
func (a *Authenticator) MemberTokens(x *exchange.Exchange) (bearer string, cookies []string, err error) {
	if bearer, err = memberBearer(x); err != nil {
		return "", nil, err
	}
	cookies, err = a.ownCookies(x, a.Jar.refresh)
	return bearer, cookies, err
}

func memberBearer(x *exchange.Exchange) (string, error) {
	bearer, err := bearerToken(x)
	if err != nil && exchange.RefusalFor(err).Code != exchange.CodeTokenInvalid {
		return "", err
	}
	return bearer, nil
}

package credential

import (
	"context"
	"slices"

	"issuer.example/client"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/session/refresh"
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
	caller, err := a.holder(x, chosen)
	if bearer != "" && isGuess(err) {
		return Caller{}, a.failures.count(x, err)
	}
	return caller, a.CountForgery(x, err)
}

// holder is the caller who presented an access token.
func (a *Authenticator) holder(x *exchange.Exchange, chosen *presented) (Caller, error) {
	if err := a.tokens.look(x, chosen); err != nil {
		return Caller{}, err
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

// Member demands the refresh token of a live session in the session cookie or as bearer token, which is
// not redeemed, or an access token as bearer token. The caller is a member or a holder.
func (a *Authenticator) Member(x *exchange.Exchange, look Look) (Caller, error) {
	bearer, cookies, err := a.MemberTokens(x)
	switch {
	case err != nil:
		return Caller{}, err
	case bearer == "" && len(cookies) == 0:
		return Caller{}, unauthorized("")
	}
	chosen, err := a.tokens.choose(x, present(bearer, anyToken), presentAll(cookies, refreshToken))
	if err != nil {
		return Caller{}, err
	}
	if bearer != "" && !refresh.IsToken(bearer) {
		caller, err := a.holder(x, chosen)
		return caller, a.CountForgery(x, err)
	}
	caller, err := a.member(x, chosen, look)
	return caller, a.CountForgery(x, err)
}

// member is the caller who presented a refresh token.
func (a *Authenticator) member(x *exchange.Exchange, chosen *presented, look Look) (Caller, error) {
	if chosen.err != nil {
		return Caller{}, chosen.err
	}
	reading, err := look(x.Context(), chosen.text, x.Device())
	if err != nil {
		return Caller{}, err
	}
	x.Log.SessionID = reading.View.ID.String()
	return Caller{Kind: KindMember, Holder: session.Holder{View: reading.View}, Reading: reading}, nil
}

// Renewal is a refresh token to redeem, and the ways that its successor has to go back.
type Renewal struct {
	Token    string // "" if there is none
	ByBearer bool   // it is the bearer token
	ByCookie bool   // it is in a session cookie, or a cookie has another token of its session
}

// MemberRenewal picks what a better-auth client redeems: the bearer token, or else one of the session
// cookies. It does not say that the token is valid. The caller has checked the origin.
func (a *Authenticator) MemberRenewal(x *exchange.Exchange) (Renewal, error) {
	bearer, cookies, err := a.MemberTokens(x)
	switch {
	case err != nil:
		return Renewal{}, err
	case bearer == "" && len(cookies) > 0:
		token, err := a.CookieToRedeem(x, cookies)
		return Renewal{Token: token, ByCookie: true}, err
	case !refresh.IsToken(bearer):
		return Renewal{}, nil
	}
	beside := presentAll(cookies, refreshToken)
	_, err = a.tokens.choose(x, present(bearer, refreshToken), beside)
	byCookie := slices.ContainsFunc(beside, func(p *presented) bool {
		return p.text == bearer || p.looked && p.err == nil
	})
	return Renewal{Token: bearer, ByBearer: true, ByCookie: byCookie}, err
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

package credential

import (
	"errors"
	"slices"

	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

// SignOutTokens are all tokens that a request to sign out has.
type SignOutTokens struct {
	bearer  string
	cookies []string
	foreign bool // the cookies may have been sent by another site's page, and end nothing
}

// ByCookie reports whether there is no bearer token.
func (t SignOutTokens) ByCookie() bool { return t.bearer == "" }

// all returns every token.
func (t SignOutTokens) all() []string {
	if t.bearer == "" {
		return t.cookies
	}
	return append([]string{t.bearer}, t.cookies...)
}

// effective returns the tokens whose sessions end.
func (t SignOutTokens) effective() []string {
	if t.foreign {
		return SignOutTokens{bearer: t.bearer}.all()
	}
	return t.all()
}

// SignOutTokens returns what to sign out by. Without any token it refuses. Cookies count only if the
// request comes from a page of an allowed origin. A request from another origin is refused if it has
// no bearer token.
func (a *Authenticator) SignOutTokens(x *exchange.Exchange) (SignOutTokens, error) {
	bearer, err := bearerToken(x)
	if err != nil {
		return SignOutTokens{}, err
	}
	tokens, err := a.withCookies(x, bearer)
	switch {
	case err != nil:
		return tokens, err
	case bearer != "" && len(tokens.cookies) == 0:
		return tokens, nil
	case len(tokens.cookies) == 0:
		return tokens, a.refuseSignOut(x)
	}
	err = a.Origins.CheckChange(x)
	if tokens.foreign = err != nil; bearer != "" {
		err = nil // the bearer token needs no origin
	}
	return tokens, err
}

// refuseSignOut refuses a request without a token of the user's own. It removes the cookies that a page of
// an allowed origin sends nevertheless: the user wants none.
func (a *Authenticator) refuseSignOut(x *exchange.Exchange) error {
	if a.Origins.CheckChange(x) == nil && a.Jar.hasAny(x) {
		a.Jar.Clear(x)
	}
	return unauthorized("An access or refresh token is needed.")
}

// MemberSignOutTokens returns what a better-auth client signs out by, which may be nothing. The
// caller has checked the origin.
func (a *Authenticator) MemberSignOutTokens(x *exchange.Exchange) (SignOutTokens, error) {
	bearer, err := memberBearer(x)
	if err != nil {
		return SignOutTokens{}, err
	}
	return a.withCookies(x, bearer)
}

// withCookies returns a bearer token, or "", and the tokens in the session and access cookies. If a page of
// an allowed origin sends too many of them, they are removed: no token counts, and the user wants none.
func (a *Authenticator) withCookies(x *exchange.Exchange, bearer string) (SignOutTokens, error) {
	tokens := SignOutTokens{bearer: bearer}
	for _, name := range []string{a.Jar.refresh, a.Jar.access} {
		own, err := a.ownCookies(x, name)
		if err != nil {
			if a.Origins.CheckChange(x) == nil {
				a.Jar.Clear(x)
			}
			return SignOutTokens{}, err
		}
		tokens.cookies = append(tokens.cookies, own...)
	}
	return tokens, nil
}

// SignOut ends the sessions of the tokens. If no session was ended, it returns the refusal that says
// most, or nil if there is no token. Cookies of live sessions of more than one user, or of another live
// session than the bearer token, are refused as on other routes, because one may have been planted, but
// only after all of the sessions have been ended: the user wants to be signed out.
func (a *Authenticator) SignOut(x *exchange.Exchange, tokens SignOutTokens) (done bool, refused error) {
	var live []session.View
	if all := tokens.all(); len(all) > 1 {
		var err error
		if live, err = a.tokens.liveSessions(x, all); err != nil {
			return false, err
		}
	}
	for _, text := range tokens.effective() {
		err := a.sessions.SignOut(x.Context(), text)
		switch {
		case err == nil:
			done = true
		case errors.Is(err, session.ErrUnavailable):
			return false, err
		default:
			refused = moreSpecific(refused, err)
		}
	}
	switch {
	case len(live) > 1 && (!tokens.ByCookie() || !ofOneUser(live)):
		a.Jar.Clear(x)
		return done, exchange.Invalid("The credentials were of more than one session; they have been ended, and the cookies cleared.")
	case done:
		return true, nil
	}
	return false, refused
}

// ofOneUser reports whether all sessions are of the same user, who has signed in again.
func ofOneUser(views []session.View) bool {
	return !slices.ContainsFunc(views, func(v session.View) bool { return v.User.ID != views[0].User.ID })
}

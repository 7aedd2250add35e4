package credential

import (
	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

// RefreshToken picks the refresh token to redeem: the one in the body, or "" if there is none
// there, or one of the session cookies. It does not say that the token is valid.
func (a *Authenticator) RefreshToken(x *exchange.Exchange, inBody string) (token string, byCookie bool, err error) {
	cookies, err := a.ownCookies(x, a.Jar.refresh)
	switch {
	case err != nil:
		return "", false, err
	case inBody == "" && len(cookies) == 0:
		return "", false, &exchange.Refusal{
			Code: exchange.CodeRefreshInvalid, Detail: "A refresh token is needed.", NoCredential: true,
		}
	case inBody == "":
		if err := a.Origins.CheckChange(x); err != nil {
			return "", false, err
		}
		token, err = a.CookieToRedeem(x, cookies)
		return token, true, err
	}
	_, err = a.tokens.choose(x, present(inBody, refreshToken), presentAll(cookies, refreshToken))
	return inBody, false, err
}

// CookieToRedeem picks one of the tokens of the session cookies, of which there is at least one.
func (a *Authenticator) CookieToRedeem(x *exchange.Exchange, cookies []string) (string, error) {
	chosen, err := a.tokens.choose(x, nil, presentAll(cookies, refreshToken))
	if err != nil {
		return "", err
	}
	return chosen.text, nil
}

// Redeem redeems a refresh token and sets the cookies of the grant if the token came in one. The
// cookies of a session that has ended are cleared. Any other failure leaves them: the browser may
// have newer ones than this request brought.
func (a *Authenticator) Redeem(x *exchange.Exchange, token string, byCookie bool) (session.Grant, error) {
	g, err := a.sessions.Refresh(x.Context(), token, x.Device())
	if !g.View.ID.IsZero() {
		x.Log.SessionID, x.Log.Outcome = g.View.ID.String(), string(g.Outcome)
	}
	if err != nil {
		if byCookie && IsTerminal(err) {
			a.Jar.Clear(x)
		}
		return session.Grant{}, a.CountForgery(x, err)
	}
	if byCookie {
		a.Jar.Set(x, g, a.now())
	}
	return g, nil
}

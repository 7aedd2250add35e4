package v1

import (
	"errors"
	"net/http"

	"issuer.example/handlers/exchange"
	"issuer.example/handlers/sessionjson"
	"issuer.example/session"
)

// refresh redeems a refresh token. The new one goes the way that the old one came, by cookie or in the
// body. The access token is always in the body: a page sends it to APIs on other sites.
func (h *Handlers) refresh(x *exchange.Exchange) error {
	var body struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := x.DecodeOptionalJSON(&body); err != nil {
		return err
	}
	token, byCookie, err := h.auth.RefreshToken(x, body.RefreshToken)
	if err != nil {
		return err
	}
	g, err := h.auth.Redeem(x, token, byCookie)
	if err != nil {
		return err
	}
	if byCookie {
		g.RefreshToken = ""
	}
	return sessionjson.AnswerGrant(x, http.StatusOK, &g, h.now())
}

// signOut ends the session of the credential: an access or a refresh token, as bearer or in cookies. It
// is never rate limited, and repeating it is a success.
func (h *Handlers) signOut(x *exchange.Exchange) error {
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	tokens, err := h.auth.SignOutTokens(x)
	if err != nil {
		return err
	}
	done, refused := h.auth.SignOut(x, tokens)
	switch {
	case done && refused == nil:
		h.auth.Jar.Clear(x)
		return x.NoContent(http.StatusNoContent)
	case tokens.ByCookie() && !done && !errors.Is(refused, session.ErrUnavailable):
		h.auth.Jar.Clear(x) // the cookies are useless, and the user wants them gone
	}
	return refused
}

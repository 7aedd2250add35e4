// Package oauth is the OAuth endpoints of the issuer: token introspection (RFC 7662) and token
// revocation (RFC 7009). They refuse in the form of RFC 6749 §5.2.
package oauth

import (
	"maps"
	"net/http"
	"net/url"
	"strings"

	"issuer.example/client"
	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

// Handlers answers the OAuth endpoints.
type Handlers struct {
	sessions *session.Service
	auth     *credential.Authenticator
	issuer   string
}

// New makes Handlers. The issuer is the `iss` of tokens.
func New(sessions *session.Service, auth *credential.Authenticator, issuer string) *Handlers {
	return &Handlers{sessions: sessions, auth: auth, issuer: issuer}
}

// Routes lists the routes.
func (h *Handlers) Routes() []exchange.Route {
	return []exchange.Route{
		{Method: "POST", Path: "/oauth/introspect", Serve: h.introspect, Refuse: writeRefusal},
		{Method: "POST", Path: "/oauth/revoke", Serve: h.revoke, Refuse: writeRefusal},
	}
}

// introspect tells a service whether a token is valid right now (RFC 7662).
func (h *Handlers) introspect(x *exchange.Exchange) error {
	// The form may hold the credential. If it cannot be read, a caller without a credential is told
	// about that first.
	form, formErr := x.Form()
	if _, err := h.auth.Clients.RequireAny(x, form, client.ScopeIntrospect); err != nil {
		return err
	}
	token, err := tokenParam(form, formErr)
	if err != nil {
		return err
	}
	result, err := h.sessions.Introspect(x.Context(), token)
	if err != nil {
		return err
	}
	if !result.Active {
		return x.JSON(http.StatusOK, map[string]bool{"active": false})
	}
	x.Log.SessionID = result.View.ID.String()
	return x.JSON(http.StatusOK, h.introspection(result))
}

// introspection returns the members of the answer: a map, because extra claims are members too.
func (h *Handlers) introspection(result session.Introspection) map[string]any {
	v := result.View
	out := map[string]any{
		"active": true, "iss": h.issuer, "sub": v.User.ID, "client_id": v.ClientID, "sid": v.ID.String(),
		"iat": v.CreatedAt.Unix(), "exp": v.IdleExpiresAt.Unix(), "auth_time": v.AuthTime.Unix(),
		"token_use": "refresh_token",
	}
	if v.Scope != "" {
		out["scope"] = v.Scope
	}
	c := result.Claims
	if c == nil {
		return out
	}
	for name, value := range c.Extra {
		out[name] = exchange.RawJSON(value)
	}
	maps.Copy(out, map[string]any{
		"token_use": "access_token", "token_type": "Bearer", "aud": c.Audience, "jti": c.ID,
		"iat": c.IssuedAt.Unix(), "exp": c.Expiry.Unix(), "auth_time": c.AuthTime.Unix(),
	})
	if len(c.AMR) > 0 {
		out["amr"] = c.AMR
	}
	if c.ACR != "" {
		out["acr"] = c.ACR
	}
	return out
}

// revoke ends the session of a token (RFC 7009). The token is the credential: no other is needed. A
// service key that comes along must be valid.
func (h *Handlers) revoke(x *exchange.Exchange) error {
	form, formErr := x.Form()
	if err := h.auth.Clients.CheckOptional(x, form); err != nil {
		return err
	}
	token, err := tokenParam(form, formErr)
	if err != nil {
		return err
	}
	if err := h.sessions.RevokeToken(x.Context(), token); err != nil {
		return err
	}
	return x.NoContent(http.StatusOK)
}

// tokenParam returns the form's token. A token_type_hint is not needed, because a token shows its type.
// Unknown parameters are ignored (RFC 6749 §3.2). formErr is why the form could not be read.
func tokenParam(form url.Values, formErr error) (string, error) {
	if formErr != nil {
		return "", formErr
	}
	token := form.Get("token")
	if token == "" {
		return "", exchange.Invalid("The parameter token is missing.")
	}
	return token, nil
}

// writeRefusal answers with an error response of RFC 6749 §5.2.
func writeRefusal(x *exchange.Exchange, r *exchange.Refusal, m exchange.Meaning) error {
	x.Challenge(r)
	body := struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitzero"`
	}{m.OAuth, description(r, m)}
	if r.Scope != "" {
		body.Error = "insufficient_scope"
	}
	return x.JSON(m.Status, body)
}

// description describes a refusal in the characters that RFC 6749 §5.2 allows.
func description(r *exchange.Refusal, m exchange.Meaning) string {
	text := r.Detail
	if text == "" {
		text = m.Title
	}
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return '?'
		}
		return c
	}, text)
}

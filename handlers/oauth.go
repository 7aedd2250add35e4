package handlers

import (
	"maps"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"issuer.example/session"
)

// introspect tells a service whether a token is good right now (RFC 7662).
func (s *Server) introspect(x *exchange) error {
	if err := s.clientKey(x, ScopeIntrospect); err != nil {
		return err
	}
	token, err := tokenParameter(x)
	if err != nil {
		return err
	}
	found, err := s.cfg.Sessions.Introspect(x.Request().Context(), token)
	if err != nil {
		return err
	}
	if !found.Active {
		return writeJSON(x, http.StatusOK, map[string]bool{"active": false})
	}
	x.sid = found.View.ID.String()
	// Extra claims are members too, so the answer is a map; its order does not matter.
	body, err := json.Marshal(s.introspection(found), json.Deterministic(true))
	if err != nil {
		return err
	}
	return x.Blob(http.StatusOK, echo.MIMEApplicationJSON, body)
}

func (s *Server) introspection(found session.Introspection) map[string]any {
	v := found.View
	out := map[string]any{
		"active": true, "iss": s.cfg.Issuer, "sub": v.User.ID, "client_id": v.ClientID, "sid": v.ID.String(),
		"iat": v.CreatedAt.Unix(), "exp": v.IdleExpiresAt.Unix(), "auth_time": v.AuthTime.Unix(),
		"token_use": "refresh_token",
	}
	if v.Scope != "" {
		out["scope"] = v.Scope
	}
	c := found.Claims
	if c == nil {
		return out
	}
	for name, value := range c.Extra {
		out[name] = jsontext.Value(value)
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

// revokeToken ends the session of a token (RFC 7009). Whoever holds the token may: it is
// its own credential. A service key that comes along must be a good one.
func (s *Server) revokeToken(x *exchange) error {
	if _, _, basic := x.Request().BasicAuth(); basic || x.isService() {
		if err := s.clientKey(x, ""); err != nil {
			return err
		}
	}
	token, err := tokenParameter(x)
	if err != nil {
		return err
	}
	if err := s.cfg.Sessions.RevokeToken(x.Request().Context(), token); err != nil {
		return err
	}
	return x.NoContent(http.StatusOK)
}

// tokenParameter is the form's token. A token_type_hint is not needed: a token says what
// it is. Parameters that are not known are ignored (RFC 6749 §3.2).
func tokenParameter(x *exchange) (string, error) {
	values, err := form(x)
	if err != nil {
		return "", err
	}
	token := values.Get("token")
	if token == "" {
		return "", invalid("The parameter token is missing.")
	}
	return token, nil
}

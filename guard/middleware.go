package guard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"issuer.example/jwt"
)

type contextKey struct{}

// FromContext returns the claims of the request's token, in a handler behind
// [Guard.Middleware] or [Guard.Require]. The caller must not change what their maps and
// slices hold.
func FromContext(ctx context.Context) (*jwt.Claims, bool) {
	claims, ok := ctx.Value(contextKey{}).(*jwt.Claims)
	return claims, ok
}

// Middleware passes requests with a good access token to next, which gets the claims from
// [FromContext], and answers the others by [Refuse].
func (g *Guard) Middleware(next http.Handler) http.Handler { return g.Require()(next) }

// Require returns a middleware like [Guard.Middleware] that also checks requirements.
//
// A CORS preflight request has no credential, so the middleware that answers those must
// come first.
func (g *Guard) Require(requirements ...Requirement) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := g.Credential(r)
			if err != nil {
				Refuse(w, err)
				return
			}
			claims, err := g.Verify(r.Context(), token, requirements...)
			if err != nil {
				Refuse(w, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, claims)))
		})
	}
}

// refusal is the answer to a refused request: a problem document (RFC 9457) with a code of
// the issuer's API.
type refusal struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Cause  string `json:"cause,omitempty"`

	challenge string // of RFC 6750 §3, without the scheme
}

// Refuse answers a request that [Guard.Credential] or [Guard.Verify] refused. The answer has
// status 400, 401, 403 or 503, or 500 for any other error; the challenge of RFC 6750 or
// RFC 9470 in WWW-Authenticate; and a problem document. It names the cause and contains
// nothing of the token.
func Refuse(w http.ResponseWriter, err error) {
	r := refusalOf(err)
	r.Cause = Cause(err)
	h := w.Header()
	if r.Status != http.StatusServiceUnavailable && r.Status != http.StatusInternalServerError {
		h.Set("WWW-Authenticate", "Bearer"+r.challenge)
	}
	if r.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	body, failed := json.Marshal(r)
	if failed != nil {
		body = []byte("{}")
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(body)
}

// refusalOf is the table from errors to answers.
func refusalOf(err error) refusal {
	var missed *unmet
	switch {
	case errors.Is(err, ErrNoCredential):
		return refusal{Title: "The request has no access token", Status: http.StatusUnauthorized, Code: "token_invalid"}
	case errors.Is(err, ErrCredential):
		return refusal{
			Title: "The request must have exactly one credential", Status: http.StatusBadRequest, Code: "invalid_request",
			challenge: ` error="invalid_request", error_description="exactly one credential, a bearer token"`,
		}
	case errors.Is(err, ErrCrossOrigin):
		return refusal{Title: "The request comes from another origin", Status: http.StatusForbidden, Code: "forbidden"}
	case errors.Is(err, ErrStale):
		return refusal{Title: "The service cannot check at present whether the session was revoked", Status: http.StatusServiceUnavailable, Code: "unavailable"}
	case errors.Is(err, ErrScope) && errors.As(err, &missed):
		return refusal{
			Title: "The access token lacks a scope", Status: http.StatusForbidden, Code: "forbidden",
			challenge: ` error="insufficient_scope"` + missed.params,
		}
	case errors.As(err, &missed):
		return refusal{
			Title: "The user must authenticate again", Status: http.StatusUnauthorized, Code: "not_fresh",
			challenge: ` error="insufficient_user_authentication"` + missed.params,
		}
	case errors.Is(err, ErrRevoked):
		return invalidToken("The session has been revoked", "session_revoked", err)
	case errors.Is(err, jwt.ErrExpired):
		return invalidToken("The access token has expired", "token_expired", err)
	case jwt.Cause(err) != "":
		return invalidToken("The access token is not valid", "token_invalid", err)
	default:
		return refusal{Title: "Internal error", Status: http.StatusInternalServerError, Code: "internal_error"}
	}
}

func invalidToken(title, code string, err error) refusal {
	return refusal{
		Title: title, Status: http.StatusUnauthorized, Code: code,
		challenge: ` error="invalid_token", error_description=` + quoted(title+" ["+Cause(err)+"]"),
	}
}

package betterauth

import (
	"cmp"
	"errors"
	"net/http"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
)

// The causes of refusals for which the client has codes of its own.
var (
	errValidation = errors.New("betterauth: the body names no session, or two")
	errNoFields   = errors.New("betterauth: no field can be updated")
	errKeyGone    = errors.New("betterauth: the token's session is not known")
)

// writeRefusal answers with r in the form of the client.
func writeRefusal(x *exchange.Exchange, r *exchange.Refusal, m exchange.Meaning) error {
	status, code, message := m.Status, clientCode(r, m), cmp.Or(r.Detail, m.Title)
	switch {
	case errors.Is(r.Err, errKeyGone):
		message = "The key of the token is gone, so the token cannot be verified and its session was not ended."
		x.Challenge(r)
	case r.Code.SignedOut():
		message = "Unauthorized"
		x.Challenge(r)
	case r.Code == exchange.CodeNotFresh:
		status = http.StatusForbidden
	}
	if after := x.Header().Get("Retry-After"); after != "" {
		x.Header().Set("X-Retry-After", after)
	}
	return x.JSON(status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
}

// clientCode returns the client's code for a refusal: by its cause, or else by its status.
func clientCode(r *exchange.Refusal, m exchange.Meaning) string {
	switch {
	case errors.Is(r.Err, credential.ErrNoOrigin):
		return "MISSING_OR_NULL_ORIGIN"
	case errors.Is(r.Err, credential.ErrForeignOrigin):
		return "INVALID_ORIGIN"
	case errors.Is(r.Err, errCrossSite):
		return "CROSS_SITE_REQUEST_BLOCKED"
	case errors.Is(r.Err, exchange.ErrWrongType), errors.Is(r.Err, errValidation):
		return "VALIDATION_ERROR"
	case errors.Is(r.Err, errNoFields):
		return "NO_FIELDS_TO_UPDATE"
	case r.Code == exchange.CodeNotFresh:
		return "SESSION_NOT_FRESH"
	}
	return statusCode(m.Status)
}

// statusCode returns the client's name of a status.
func statusCode(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "BAD_REQUEST"
	case http.StatusUnauthorized:
		return "UNAUTHORIZED"
	case http.StatusForbidden:
		return "INVALID_ORIGIN" // the only reason why a route of this package is forbidden
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusMethodNotAllowed:
		return "METHOD_NOT_ALLOWED"
	case http.StatusRequestEntityTooLarge:
		return "PAYLOAD_TOO_LARGE"
	case http.StatusUnsupportedMediaType:
		return "UNSUPPORTED_MEDIA_TYPE"
	case http.StatusMisdirectedRequest:
		return "MISDIRECTED_REQUEST"
	case http.StatusTooManyRequests:
		return "TOO_MANY_REQUESTS"
	case http.StatusRequestHeaderFieldsTooLarge:
		return "REQUEST_HEADER_FIELDS_TOO_LARGE"
	case http.StatusServiceUnavailable:
		return "SERVICE_UNAVAILABLE"
	default:
		return "INTERNAL_SERVER_ERROR"
	}
}

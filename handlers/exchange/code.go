package exchange

import "net/http"

// Code is the stable word by which a client tells one refusal from another. openapi.yaml
// lists all of them.
type Code string

// The codes that the audiences refuse with.
const (
	CodeTokenInvalid   Code = "token_invalid"
	CodeRefreshInvalid Code = "refresh_token_invalid"
	CodeNotFresh       Code = "not_fresh"
	CodeNotFound       Code = "not_found"
	CodeInvalidRequest Code = "invalid_request"
	CodeForbidden      Code = "forbidden"
	CodeRateLimited    Code = "rate_limited"
	CodeUnavailable    Code = "unavailable"
	CodeConflict       Code = "conflict"
)

// The codes that only this package refuses with.
const (
	codeTokenExpired    Code = "token_expired"
	codeSessionRevoked  Code = "session_revoked"
	codeSessionExpired  Code = "session_expired"
	codeSessionIdle     Code = "session_idle"
	codeRefreshReused   Code = "refresh_token_reused"
	codeHandoffInvalid  Code = "handoff_code_invalid"
	codeBindingMismatch Code = "binding_mismatch"
	codeTooLarge        Code = "payload_too_large"
	codeTokenTooLarge   Code = "access_token_too_large"
	codeSessionLimit    Code = "session_limit"
	codeMethod          Code = "method_not_allowed"
	codeMediaType       Code = "unsupported_media_type"
	codeMisdirected     Code = "misdirected_request"
	codeHeaders         Code = "headers_too_large"
	codeInternal        Code = "internal_error"
)

// Meaning is what follows from a code.
type Meaning struct {
	Status int
	Title  string // RFC 9457 §3.1.3: the same for every occurrence
	Bearer string // the error of the Bearer challenge (RFC 6750 §3.1); "" if the code has none
	OAuth  string // the error of the OAuth endpoints (RFC 6749 §5.2)
}

// Known reports whether c is one of the codes.
func (c Code) Known() bool {
	return c == codeInternal || c.Meaning().Status != http.StatusInternalServerError
}

// SignedOut reports whether c says that the request has no valid credential. CodeNotFresh does
// not: it asks a signed-in user to authenticate again.
func (c Code) SignedOut() bool {
	_, ok := unauthorized(c)
	return ok && c != CodeNotFresh
}

// Meaning is that of an internal error for a text that is no code.
func (c Code) Meaning() Meaning {
	if m, ok := unauthorized(c); ok {
		return m
	}
	switch c {
	case CodeInvalidRequest:
		return Meaning{http.StatusBadRequest, "The request is not well-formed", "", "invalid_request"}
	case codeTokenTooLarge:
		return Meaning{http.StatusBadRequest, "The access token is too large for a cookie", "", "invalid_request"}
	case CodeForbidden:
		return Meaning{http.StatusForbidden, "The caller may not do this", "", "access_denied"}
	case CodeNotFound:
		return Meaning{http.StatusNotFound, "There is no such thing here", "", "invalid_request"}
	case codeMethod:
		return Meaning{http.StatusMethodNotAllowed, "The resource has no such method", "", "invalid_request"}
	case CodeConflict:
		return Meaning{http.StatusConflict, "This cannot be done in the present state", "", "invalid_request"}
	case codeSessionLimit:
		return Meaning{http.StatusConflict, "The user has as many sessions as allowed", "", "invalid_request"}
	case codeTooLarge:
		return Meaning{http.StatusRequestEntityTooLarge, "The request body is too large", "", "invalid_request"}
	case codeMediaType:
		return Meaning{http.StatusUnsupportedMediaType, "The request body has the wrong type", "", "invalid_request"}
	case codeMisdirected:
		return Meaning{http.StatusMisdirectedRequest, "The issuer is not called by this name", "", "invalid_request"}
	default:
		return temporary(c)
	}
}

// temporary holds the codes of refusals that a later request may not meet.
func temporary(c Code) Meaning {
	switch c {
	case CodeRateLimited:
		return Meaning{http.StatusTooManyRequests, "Too many requests of this kind", "", "temporarily_unavailable"}
	case codeHeaders:
		return Meaning{http.StatusRequestHeaderFieldsTooLarge, "The request headers are too large", "", "invalid_request"}
	case CodeUnavailable:
		return Meaning{http.StatusServiceUnavailable, "The issuer cannot answer now", "", "temporarily_unavailable"}
	default:
		return Meaning{http.StatusInternalServerError, "The issuer has failed", "", "server_error"}
	}
}

// unauthorized holds the codes of status 401.
func unauthorized(c Code) (Meaning, bool) {
	m := Meaning{http.StatusUnauthorized, "", "invalid_token", "invalid_client"}
	switch c {
	case codeTokenExpired:
		m.Title = "The access token has expired"
	case CodeTokenInvalid:
		m.Title = "The request has no valid credential"
	case codeSessionRevoked:
		m.Title = "The session has been revoked"
	case codeSessionExpired:
		m.Title = "The session has reached its end"
	case codeSessionIdle:
		m.Title = "The session was not used for too long"
	case CodeRefreshInvalid:
		m.Title = "The refresh token is not valid"
	case codeHandoffInvalid:
		m.Title = "The hand-off code is not valid"
	case codeRefreshReused:
		m.Title = "The refresh token was used twice"
	case codeBindingMismatch:
		m.Title = "The session was used from elsewhere"
	case CodeNotFresh:
		m.Title, m.Bearer = "The user must authenticate again", "insufficient_user_authentication" // RFC 9470 §3
	default:
		return Meaning{}, false
	}
	return m, true
}

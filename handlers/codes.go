package handlers

import "net/http"

// code is the stable word by which a client tells one refusal from another.
type code string

// The codes. openapi.yaml lists them too.
const (
	codeTokenExpired    code = "token_expired"
	codeTokenInvalid    code = "token_invalid"
	codeSessionRevoked  code = "session_revoked"
	codeSessionExpired  code = "session_expired"
	codeSessionIdle     code = "session_idle"
	codeRefreshInvalid  code = "refresh_token_invalid"
	codeRefreshReused   code = "refresh_token_reused"
	codeHandoffInvalid  code = "handoff_code_invalid"
	codeNotFresh        code = "not_fresh"
	codeBindingMismatch code = "binding_mismatch"
	codeNotFound        code = "not_found"
	codeInvalidRequest  code = "invalid_request"
	codeForbidden       code = "forbidden"
	codeRateLimited     code = "rate_limited"
	codeTooLarge        code = "payload_too_large"
	codeSessionLimit    code = "session_limit"
	codeUnavailable     code = "unavailable"
	codeMethod          code = "method_not_allowed"
	codeMediaType       code = "unsupported_media_type"
	codeMisdirected     code = "misdirected_request"
	codeHeaders         code = "headers_too_large"
	codeConflict        code = "conflict"
	codeInternal        code = "internal_error"
)

// meaning is what follows from a code.
type meaning struct {
	status int
	title  string // RFC 9457: the same for every occurrence
	bearer string // error of the Bearer challenge (RFC 6750 §3.1), if the code has one
	oauth  string // error of the OAuth endpoints (RFC 6749 §5.2)
}

func (c code) meaning() meaning {
	if m, ok := unauthorized(c); ok {
		return m
	}
	switch c {
	case codeInvalidRequest:
		return meaning{http.StatusBadRequest, "The request is not well-formed", "", "invalid_request"}
	case codeForbidden:
		return meaning{http.StatusForbidden, "The caller may not do this", "", "access_denied"}
	case codeNotFound:
		return meaning{http.StatusNotFound, "There is no such thing here", "", "invalid_request"}
	case codeMethod:
		return meaning{http.StatusMethodNotAllowed, "The resource has no such method", "", "invalid_request"}
	case codeConflict:
		return meaning{http.StatusConflict, "This cannot be done in the present state", "", "invalid_request"}
	case codeSessionLimit:
		return meaning{http.StatusConflict, "The user has as many sessions as allowed", "", "invalid_request"}
	case codeTooLarge:
		return meaning{http.StatusRequestEntityTooLarge, "The request body is too large", "", "invalid_request"}
	case codeMediaType:
		return meaning{http.StatusUnsupportedMediaType, "The request body has the wrong type", "", "invalid_request"}
	case codeMisdirected:
		return meaning{http.StatusMisdirectedRequest, "The issuer is not called by this name", "", "invalid_request"}
	case codeRateLimited:
		return meaning{http.StatusTooManyRequests, "Too many requests of this kind", "", "temporarily_unavailable"}
	case codeHeaders:
		return meaning{http.StatusRequestHeaderFieldsTooLarge, "The request headers are too large", "", "invalid_request"}
	case codeUnavailable:
		return meaning{http.StatusServiceUnavailable, "The issuer cannot answer now", "", "temporarily_unavailable"}
	default:
		return meaning{http.StatusInternalServerError, "The issuer has failed", "", "server_error"}
	}
}

// unauthorized holds the codes of status 401.
func unauthorized(c code) (meaning, bool) {
	m := meaning{http.StatusUnauthorized, "", "invalid_token", "invalid_client"}
	switch c {
	case codeTokenExpired:
		m.title = "The access token has expired"
	case codeTokenInvalid:
		m.title = "The request has no valid credential"
	case codeSessionRevoked:
		m.title = "The session has been revoked"
	case codeSessionExpired:
		m.title = "The session has reached its end"
	case codeSessionIdle:
		m.title = "The session was not used for too long"
	case codeRefreshInvalid:
		m.title = "The refresh token is not valid"
	case codeHandoffInvalid:
		m.title = "The hand-off code is not valid"
	case codeRefreshReused:
		m.title = "The refresh token was used twice"
	case codeBindingMismatch:
		m.title = "The session was used from elsewhere"
	case codeNotFresh:
		m.title, m.bearer = "The user must authenticate again", "insufficient_user_authentication" // RFC 9470 §3
	default:
		return meaning{}, false
	}
	return m, true
}

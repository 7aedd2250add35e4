package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/session"
)

// row is what an error of a domain means to a client.
type row struct {
	err    error
	code   Code
	detail string
}

// table maps errors to codes, special ones before general ones.
func table() [27]row {
	return [...]row{
		{session.ErrNotFound, CodeNotFound, "There is no such session."},
		{session.ErrUnavailable, CodeUnavailable, "The store cannot answer now; nothing is known of what the request would have changed."},
		{session.ErrRefreshTokenReused, codeRefreshReused, "The token has been used by someone else too, so the session has ended."},
		{session.ErrRefreshTokenInvalid, CodeRefreshInvalid, ""},
		{session.ErrHandoffInvalid, codeHandoffInvalid, "It is not one of ours, is for another origin, is too old, or was claimed before."},
		{session.ErrRevoked, codeSessionRevoked, ""},
		{session.ErrExpired, codeSessionExpired, ""},
		{session.ErrIdle, codeSessionIdle, ""},
		{session.ErrNotFresh, CodeNotFresh, "The last authentication is too long ago, or the session is used from elsewhere."},
		{session.ErrBindingMismatch, codeBindingMismatch, "The session was bound to another network or browser and has ended."},
		{session.ErrLimit, codeSessionLimit, ""},
		{session.ErrTokenTooLarge, codeTokenTooLarge, ""},
		{session.ErrInvalid, CodeInvalidRequest, ""},

		{keys.ErrNotFound, CodeNotFound, "There is no such key."},
		{keys.ErrTooEarly, CodeConflict, "Verifiers may not have seen the key yet."},
		{keys.ErrRetired, CodeConflict, "The key has stopped signing."},
		{keys.ErrTooMany, CodeConflict, "Too many keys are published."},
		{keys.ErrReason, CodeInvalidRequest, "The reason must be at most 256 bytes of printable UTF-8."},
		{keys.ErrNotReady, CodeUnavailable, "There is no key to sign with."},
		{keys.ErrConflict, CodeUnavailable, "The keys are being changed by another issuer."},

		{jwt.ErrExpired, codeTokenExpired, ""},
		{jwt.ErrUnknownKey, CodeTokenInvalid, "The key that the access token names is not one of the issuer's, or is no longer published."},
		{jwt.ErrAudience, CodeTokenInvalid, "The access token is for others: its aud has no audience of the issuer's own."},

		{context.Canceled, CodeUnavailable, ""},
		{context.DeadlineExceeded, CodeUnavailable, ""},
		{echo.ErrNotFound, CodeNotFound, ""},
		{echo.ErrMethodNotAllowed, codeMethod, ""},
	}
}

// RefusalFor returns what err means to a client: itself if it is a [Refusal], what the table
// says of it, or else an internal error.
func RefusalFor(err error) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	for _, row := range table() {
		if errors.Is(err, row.err) {
			return withDetail(&Refusal{Code: row.code, Detail: row.detail, Err: err})
		}
	}
	if jwt.Cause(err) != "" {
		return &Refusal{Code: CodeTokenInvalid, Detail: "The access token was refused.", Err: err}
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Refusal{Code: codeTooLarge, Err: e}
	}
	return &Refusal{Code: codeInternal, Err: err}
}

// withDetail adds what an error says beyond its sentinel.
func withDetail(r *Refusal) *Refusal {
	if e, ok := errors.AsType[*session.FieldError](r.Err); ok {
		r.Detail, r.Field = e.Error(), e.Field
	}
	if e, ok := errors.AsType[*session.TokenSizeError](r.Err); ok {
		r.Field = "claims"
		r.Detail = fmt.Sprintf("The access token would have %d bytes, and browsers keep at most %d in this cookie: "+
			"put less into claims, or mint for bearer tokens.", e.Size, e.Limit)
	}
	if e, ok := errors.AsType[*keys.TooEarlyError](r.Err); ok {
		r.Detail = "The key may sign from " + e.Until.UTC().Format(time.RFC3339) + " on."
	}
	if r.Code == CodeUnavailable {
		r.RetryAfter = time.Second
	}
	return r
}

package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/session"
)

// refusal is an answer other than success. It is an error, so that handlers return it.
type refusal struct {
	code   code
	detail string        // for people; never holds what the request brought
	field  string        // the field of the request that is wrong, if one is
	retry  time.Duration // when to come again; 0 does not say
	bare   bool          // no credential was given: the challenge names no error (RFC 6750 §3)
	scope  string        // the scope that is missing
	basic  bool          // the caller used HTTP Basic
	better string        // the code for a better-auth client, where code does not imply it
	err    error         // what the log should know
}

func (r *refusal) Error() string { return string(r.code) + ": " + r.detail }

func (r *refusal) Unwrap() error { return r.err }

func invalid(detail string) error { return &refusal{code: codeInvalidRequest, detail: detail} }

func notFound() error { return &refusal{code: codeNotFound} }

// verdict is one row of the table: what an error of a domain means to a client.
type verdict struct {
	err    error
	code   code
	detail string
}

// verdicts is the table from sentinel to answer. What it does not list is a 500. It goes
// from the special to the general.
func verdicts() []verdict {
	return []verdict{
		{session.ErrNotFound, codeNotFound, "There is no such session."},
		{session.ErrUnavailable, codeUnavailable, "The store cannot answer now; nothing is known of what the request would have changed."},
		{session.ErrRefreshTokenReused, codeRefreshReused, "The token has been used by someone else too, so the session has ended."},
		{session.ErrRefreshTokenInvalid, codeRefreshInvalid, ""},
		{session.ErrHandoffInvalid, codeHandoffInvalid, "It is not one of ours, is for another origin, is too old, or was claimed before."},
		{session.ErrRevoked, codeSessionRevoked, ""},
		{session.ErrExpired, codeSessionExpired, ""},
		{session.ErrIdle, codeSessionIdle, ""},
		{session.ErrNotFresh, codeNotFresh, "The last authentication is too long ago, or the session is used from elsewhere."},
		{session.ErrBindingMismatch, codeBindingMismatch, "The session was bound to another network or browser and has ended."},
		{session.ErrLimit, codeSessionLimit, ""},
		{session.ErrInvalid, codeInvalidRequest, ""},

		{keys.ErrNotFound, codeNotFound, "There is no such key."},
		{keys.ErrTooEarly, codeConflict, "Verifiers may not have seen the key yet."},
		{keys.ErrRetired, codeConflict, "The key has stopped signing."},
		{keys.ErrTooMany, codeConflict, "Too many keys are published."},
		{keys.ErrReason, codeInvalidRequest, "The reason must be at most 256 bytes of printable UTF-8."},
		{keys.ErrNotReady, codeUnavailable, "There is no key to sign with."},
		{keys.ErrConflict, codeUnavailable, "The keys are being changed by another issuer."},

		{jwt.ErrExpired, codeTokenExpired, ""},
		{jwt.ErrAudience, codeTokenInvalid, "The access token is for others: its aud has no audience of the issuer's own."},

		{context.Canceled, codeUnavailable, ""},
		{context.DeadlineExceeded, codeUnavailable, ""},
		{echo.ErrNotFound, codeNotFound, ""},
		{echo.ErrMethodNotAllowed, codeMethod, ""},
	}
}

// refuse finds the answer for an error.
func (s *Server) refuse(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	for _, v := range s.verdicts {
		if errors.Is(err, v.err) {
			return detailed(&refusal{code: v.code, detail: v.detail, err: err})
		}
	}
	if jwt.Cause(err) != "" {
		return &refusal{code: codeTokenInvalid, detail: "The access token was refused.", err: err}
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &refusal{code: codeTooLarge, err: e}
	}
	return &refusal{code: codeInternal, err: err}
}

// detailed adds what an error says beyond its sentinel.
func detailed(r *refusal) *refusal {
	if e, ok := errors.AsType[*session.FieldError](r.err); ok {
		r.detail, r.field = e.Error(), e.Field
	}
	if e, ok := errors.AsType[*keys.TooEarlyError](r.err); ok {
		r.detail = "The key may sign from " + e.Until.UTC().Format(time.RFC3339) + " on."
	}
	if r.code == codeUnavailable {
		r.retry = time.Second
	}
	return r
}

package session

import (
	"errors"
	"fmt"
)

// What a use case refuses with. A store returns ErrNotFound and ErrUnavailable; the
// others are this package's own verdicts.
var (
	// ErrNotFound means that there is no such session, or that it is not the caller's.
	ErrNotFound = errors.New("session: not found")
	// ErrUnavailable means that the store cannot answer now. It says nothing about
	// whether a write has happened.
	ErrUnavailable = errors.New("session: store unavailable")
	// ErrRefreshTokenInvalid means that the refresh token is not one of ours, is
	// damaged, or belongs to a session long forgotten.
	ErrRefreshTokenInvalid = errors.New("session: refresh token invalid")
	// ErrRefreshTokenReused means that the refresh token was copied: the session has
	// been ended.
	ErrRefreshTokenReused = errors.New("session: refresh token reused")
	// ErrHandoffInvalid means that the hand-off code is not one of ours, is for another
	// origin, is too old, or was claimed before.
	ErrHandoffInvalid = errors.New("session: hand-off code invalid")
	// ErrForged comes with ErrRefreshTokenInvalid and ErrHandoffInvalid when the text is
	// malformed or its tag is wrong: it was never one of ours. What is sealed under a key
	// that is not known (any more) is not called forged, because that cannot be told.
	ErrForged = errors.New("session: forged")
	// ErrRevoked means that the session was ended before its time.
	ErrRevoked = errors.New("session: revoked")
	// ErrExpired means that the session has reached its absolute end.
	ErrExpired = errors.New("session: expired")
	// ErrIdle means that the session was not used for its idle timeout.
	ErrIdle = errors.New("session: idle for too long")
	// ErrNotFresh means that the user must authenticate again first (RFC 9470).
	ErrNotFresh = errors.New("session: authentication not fresh")
	// ErrBindingMismatch means that the session was used from another network or browser
	// than it is bound to, and has been ended for it.
	ErrBindingMismatch = errors.New("session: used from elsewhere")
	// ErrLimit means that the user has as many sessions as the policy allows.
	ErrLimit = errors.New("session: too many sessions")
	// ErrInvalid is what every [FieldError] is.
	ErrInvalid = errors.New("session: invalid request")
)

// What a keyring refuses with.
var (
	errForgedToken   = fmt.Errorf("%w: %w", ErrRefreshTokenInvalid, ErrForged)
	errForgedHandoff = fmt.Errorf("%w: %w", ErrHandoffInvalid, ErrForged)
)

// FieldError says which field of a request is wrong, and how. It is an [ErrInvalid].
type FieldError struct {
	Field  string // as it is named in the HTTP interface
	Reason string // what it must be; never the value itself
}

func (e *FieldError) Error() string { return fmt.Sprintf("%s %s", e.Field, e.Reason) }

// Is makes every FieldError an [ErrInvalid].
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// refusal is the error that using an ended session gets.
func (e End) refusal() error {
	switch e.Reason {
	case ReasonExpired:
		return ErrExpired
	case ReasonIdle:
		return ErrIdle
	default:
		return ErrRevoked
	}
}

package session

import (
	"errors"
	"fmt"

	"issuer.example/session/refresh"
)

// The errors of the use cases. A [Store] returns ErrNotFound, ErrLimit and ErrUnavailable;
// the others are verdicts of this package and of package refresh.
var (
	// ErrNotFound means that there is no such session, or that it is another user's.
	ErrNotFound = errors.New("session: not found")
	// ErrUnavailable means that the store cannot answer now. It says nothing about
	// whether a write has happened.
	ErrUnavailable = errors.New("session: store unavailable")
	// ErrRefreshTokenInvalid means that the refresh token was not issued here, is damaged,
	// or belongs to a session that the store no longer has.
	ErrRefreshTokenInvalid = refresh.ErrTokenInvalid
	// ErrRefreshTokenReused means that the refresh token was copied: the session has
	// been ended.
	ErrRefreshTokenReused = errors.New("session: refresh token reused")
	// ErrHandoffInvalid means that the hand-off code was not issued here, is for another
	// origin, is too old, or was claimed before.
	ErrHandoffInvalid = refresh.ErrHandoffInvalid
	// ErrForged comes with ErrRefreshTokenInvalid and ErrHandoffInvalid if somebody made the text
	// up; see [refresh.ErrForged].
	ErrForged = refresh.ErrForged
	// ErrKeyGone comes with ErrRefreshTokenInvalid if the secret of the token is not configured, so
	// that nothing is known of the token; see [refresh.ErrKeyGone].
	ErrKeyGone = refresh.ErrKeyGone
	// ErrRevoked means that the session was ended before its time.
	ErrRevoked = errors.New("session: revoked")
	// ErrExpired means that the session has reached its absolute end.
	ErrExpired = errors.New("session: expired")
	// ErrIdle means that the session was not used for its idle timeout.
	ErrIdle = errors.New("session: idle for too long")
	// ErrNotFresh means that the user must authenticate again first (RFC 9470).
	ErrNotFresh = errors.New("session: authentication not fresh")
	// ErrBindingMismatch means that the session was used from another network or browser
	// than the one that it is bound to, and has been ended for that.
	ErrBindingMismatch = errors.New("session: used from elsewhere")
	// ErrLimit means that the user has as many sessions as the policy allows.
	ErrLimit = errors.New("session: too many sessions")
	// ErrTokenTooLarge matches every [TokenSizeError].
	ErrTokenTooLarge = errors.New("session: access token too large")
	// ErrInvalid matches every [FieldError].
	ErrInvalid = errors.New("session: invalid request")
)

// TokenSizeError means that the access tokens of a session would have more bytes than the caller can use.
type TokenSizeError struct {
	Size, Limit int // in bytes
}

func (e *TokenSizeError) Error() string {
	return fmt.Sprintf("session: the access token would have %d bytes, and may have %d", e.Size, e.Limit)
}

// Is reports whether target is [ErrTokenTooLarge].
func (e *TokenSizeError) Is(target error) bool { return target == ErrTokenTooLarge }

// FieldError says which field of a request is wrong, and how. errors.Is finds [ErrInvalid]
// in it.
type FieldError struct {
	Field  string // its name in the HTTP interface
	Reason string // what it must be; never the value itself
}

func (e *FieldError) Error() string { return fmt.Sprintf("%s %s", e.Field, e.Reason) }

// Is reports whether target is [ErrInvalid].
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// refusal is the error for using a session that has ended so.
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

// ignoreNotFound makes ErrNotFound a success: a session that the store does not have needs
// no end.
func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// invalidIfNotFound replaces ErrNotFound by invalid. A token or code whose session the store
// does not have belongs to one that was forgotten, or that began after the backup which was
// restored.
func invalidIfNotFound(err, invalid error) error {
	if errors.Is(err, ErrNotFound) {
		return invalid
	}
	return err
}

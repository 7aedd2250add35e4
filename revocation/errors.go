package revocation

import "errors"

// Why a message of the feed is refused.
var (
	// ErrMalformed means that a payload is not of the form that its type has.
	ErrMalformed = errors.New("revocation: malformed message")
	// ErrEventType means that a security event token has no event of a known type.
	ErrEventType = errors.New("revocation: unknown type of event")
)

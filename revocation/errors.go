package revocation

import "errors"

// What is wrong with a message of the feed.
var (
	// ErrMalformed means that a payload is not what its type demands.
	ErrMalformed = errors.New("revocation: malformed message")
	// ErrEventType means that a security event token has no event of a type that is
	// known here.
	ErrEventType = errors.New("revocation: unknown type of event")
)

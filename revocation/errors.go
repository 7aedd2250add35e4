package revocation

import "errors"

// What is wrong with a message of the feed.
var (
	// ErrMalformed means that a payload is not what its type demands.
	ErrMalformed = errors.New("revocation: malformed message")
	// ErrEventType means that a security event token has no event of a type that is
	// known here.
	ErrEventType = errors.New("revocation: unknown type of event")
	// ErrFrameSize means that a line or a frame of the stream is larger than
	// [MaxFrameSize].
	ErrFrameSize = errors.New("revocation: frame of the stream is too large")
)

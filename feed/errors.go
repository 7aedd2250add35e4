package feed

import "errors"

// The errors of [Hub.Subscribe] and [Reader.Next].
var (
	// ErrGone means that the revocations after the resume point were trimmed, or that the
	// resume point was never reached, or that the log has gone back since: the verifier takes
	// the snapshot.
	ErrGone = errors.New("feed: the resume point is gone")
	// ErrKeyLimit means that the service key has as many readers as it may have.
	ErrKeyLimit = errors.New("feed: too many readers with this key")
	// ErrLimit means that there are as many readers as there may be.
	ErrLimit = errors.New("feed: too many readers")
	// ErrStopped means that the issuer stops.
	ErrStopped = errors.New("feed: stopped")
	// ErrEnd means that the reader has reached the end of its life; its client connects
	// again.
	ErrEnd = errors.New("feed: the reader has reached the end of its life")
)

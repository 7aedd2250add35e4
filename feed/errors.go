package feed

import "errors"

// Why there is no stream.
var (
	// ErrGone means that the resume point was purged, or was never reached: the
	// verifier takes the snapshot.
	ErrGone = errors.New("feed: the resume point is gone")
	// ErrKeyLimit means that the service key has as many readers as it may have.
	ErrKeyLimit = errors.New("feed: too many readers with this key")
	// ErrLimit means that there are as many readers as there may be.
	ErrLimit = errors.New("feed: too many readers")
	// ErrStopped means that the issuer stops.
	ErrStopped = errors.New("feed: stopped")
	// ErrEnd means that a reader has come to the end of its life; its client connects
	// anew.
	ErrEnd = errors.New("feed: the reader's time is over")
)

package guard

import (
	"errors"

	"issuer.example/jwt"
)

// The reasons, besides those of package jwt, for which a request is refused.
var (
	// ErrCredential means that a request has more than one credential, or one that is
	// malformed (RFC 6750 §3.1, invalid_request).
	ErrCredential = errors.New("guard: the request must have exactly one credential, as bearer token")
	// ErrNoCredential means that a request has no credential.
	ErrNoCredential = errors.New("guard: the request has no credential")
	// ErrCrossOrigin means that a request that changes something came from another
	// origin, with a credential that a browser attaches by itself.
	ErrCrossOrigin = errors.New("guard: cross-origin request with a cookie")
	// ErrRevoked means that the token's session has been revoked.
	ErrRevoked = errors.New("guard: session is revoked")
	// ErrStale means that the token is good, as far as this guard can tell, but that
	// it has not heard from the issuer for too long to tell.
	ErrStale = errors.New("guard: nothing heard from the issuer for too long")
	// ErrNotFresh means that the user has to authenticate again (RFC 9470 §3).
	ErrNotFresh = errors.New("guard: authentication is too old")
	// ErrACR means that the user has to authenticate in another way (RFC 9470 §3).
	ErrACR = errors.New("guard: authentication is not of the class that is needed")
	// ErrScope means that the token does not have the scope (RFC 6750 §3.1).
	ErrScope = errors.New("guard: token lacks a scope")
)

// The reasons for which the issuer can't be used, or something that it sent.
var (
	// ErrConfig means that the configuration is wrong; the error says what.
	ErrConfig = errors.New("guard: wrong configuration")
	// ErrDiscovery means that the issuer's metadata is of another issuer, malformed, or
	// names an endpoint that is not the issuer's own.
	ErrDiscovery = errors.New("guard: unacceptable issuer metadata")
	// ErrRedirect means that the issuer answered with a redirect. None is followed.
	ErrRedirect = errors.New("guard: the issuer redirects")
	// ErrStatus means that the issuer answered with an unexpected status.
	ErrStatus = errors.New("guard: the issuer answers with an unexpected status")
	// ErrTooLarge means that the issuer's answer is larger than any good one.
	ErrTooLarge = errors.New("guard: the issuer's answer is too large")
	// ErrKeys means that a key set could not be used. The guard keeps the one before.
	ErrKeys = errors.New("guard: unacceptable key set")
	// ErrGap means that events are missing in the feed.
	ErrGap = errors.New("guard: the feed has a gap")
	// ErrBackwards means that the feed, or a snapshot, goes back in the log.
	ErrBackwards = errors.New("guard: the feed goes back")
	// ErrForked means that the feed continues another log than the one that was read so
	// far, as after the restore of a backup.
	ErrForked = errors.New("guard: the feed is of another log")
	// ErrClock means that a message is too old, or from the future.
	ErrClock = errors.New("guard: a message of the feed is not of this time")
	// ErrSender means that a message of the feed is from another issuer.
	ErrSender = errors.New("guard: a message of the feed is of another issuer")
	// ErrGone means that the issuer no longer has the events after the resume point.
	ErrGone = errors.New("guard: the resume point is gone")
	// ErrFrame means that the feed has a frame that is not known.
	ErrFrame = errors.New("guard: unknown frame in the feed")
)

// Cause returns the one-word name of the reason for which a token or a request was
// refused, such as "revoked", "stale", "exp" or "sig", and "" for any other error. It is
// made for the label of a metric: the set of names is small and fixed.
func Cause(err error) string {
	for _, row := range causes {
		if errors.Is(err, row.err) {
			return row.name
		}
	}
	return jwt.Cause(err)
}

var causes = [...]struct {
	err  error
	name string
}{
	{ErrCredential, "credential"},
	{ErrNoCredential, "missing"},
	{ErrCrossOrigin, "origin"},
	{ErrRevoked, "revoked"},
	{ErrStale, "stale"},
	{ErrNotFresh, "fresh"},
	{ErrACR, "acr"},
	{ErrScope, "scope"},
}

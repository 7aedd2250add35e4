package guard

import (
	"errors"

	"issuer.example/jwt"
)

// Why a request is refused, besides the errors of package jwt.
var (
	// ErrCredential means that a request has more than one credential, or a malformed
	// one (RFC 6750 §3.1, invalid_request).
	ErrCredential = errors.New("guard: the request must have exactly one credential, a bearer token")
	// ErrNoCredential means that a request has no credential.
	ErrNoCredential = errors.New("guard: the request has no credential")
	// ErrCrossOrigin means that a request with a cookie and a method that is not safe
	// comes from an origin that is not trusted.
	ErrCrossOrigin = errors.New("guard: cross-origin request with a cookie")
	// ErrRevoked means that the session of the token has been revoked.
	ErrRevoked = errors.New("guard: session is revoked")
	// ErrStale means that nothing is wrong with the token, but the issuer has not
	// confirmed the list of revocations for too long.
	ErrStale = errors.New("guard: the list of revocations is stale")
	// ErrNotFresh means that the user has to authenticate again (RFC 9470 §3).
	ErrNotFresh = errors.New("guard: authentication is too old")
	// ErrACR means that the user has to authenticate in another way (RFC 9470 §3).
	ErrACR = errors.New("guard: authentication is not of a required class")
	// ErrScope means that the token lacks a required scope (RFC 6750 §3.1,
	// insufficient_scope).
	ErrScope = errors.New("guard: token lacks a scope")
)

// Why the issuer, or something that it sent, can't be used.
var (
	// ErrConfig means that the [Config] is wrong. The error says what to change.
	ErrConfig = errors.New("guard: wrong configuration")
	// ErrDiscovery means that the issuer's metadata is malformed, is for another issuer,
	// or names an endpoint of another origin.
	ErrDiscovery = errors.New("guard: unacceptable issuer metadata")
	// ErrRedirect means that the issuer answered with a redirect, which is not followed.
	ErrRedirect = errors.New("guard: the issuer answers with a redirect")
	// ErrStatus means that the issuer answered with an unexpected status.
	ErrStatus = errors.New("guard: the issuer answers with an unexpected status")
	// ErrTooLarge means that the issuer's answer exceeds the limit for its kind.
	ErrTooLarge = errors.New("guard: the issuer's answer is too large")
	// ErrKeys means that a key set is malformed or has no usable key. The guard keeps the
	// previous one.
	ErrKeys = errors.New("guard: unacceptable key set")
	// ErrGap means that events are missing in the feed.
	ErrGap = errors.New("guard: events are missing in the feed")
	// ErrBackwards means that a message of the feed is older than what was applied.
	ErrBackwards = errors.New("guard: the feed goes backwards")
	// ErrForked means that the feed continues another log than the one read so far, as
	// after a backup was restored.
	ErrForked = errors.New("guard: the feed continues another log")
	// ErrClock means that a message of the feed is too old, or from the future.
	ErrClock = errors.New("guard: the time of a feed message is too far from now")
	// ErrSender means that a message of the feed is from another issuer.
	ErrSender = errors.New("guard: a feed message is from another issuer")
	// ErrGone means that the issuer no longer has the events after the resume point.
	ErrGone = errors.New("guard: the resume point was purged from the feed")
	// ErrFrame means that the feed contains a frame of an unknown form.
	ErrFrame = errors.New("guard: unknown frame in the feed")
)

// Cause returns one word for why a token or a request was refused, such as "revoked",
// "stale", "exp" or "sig", and "" for any other error. The words are few and fixed, so they
// can label a metric.
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

package keys

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrConfig is returned by [Open] for a [Config] that cannot work.
	ErrConfig = errors.New("keys: unusable configuration")

	// ErrConflict is what a [Store] answers to a swap from a version that is not the stored one.
	ErrConflict = errors.New("keys: the stored keys changed meanwhile")

	// ErrWrongSecret is returned when no configured secret opens a stored key.
	ErrWrongSecret = errors.New("keys: no configured secret opens the stored keys")

	// ErrNewerSchema is returned for a stored document that a newer program wrote.
	ErrNewerSchema = errors.New("keys: the stored keys have a newer schema")

	// ErrDocument is returned for a stored document that is damaged, was
	// changed by someone without the secret, or is older than one seen before.
	ErrDocument = errors.New("keys: the stored keys are damaged")

	// ErrNotFound is returned for a key id that names no key.
	ErrNotFound = errors.New("keys: no such key")

	// ErrTooEarly is what a [TooEarlyError] is.
	ErrTooEarly = errors.New("keys: too early to sign with this key")

	// ErrRetired is returned by [Manager.Promote] for a key that has stopped signing.
	ErrRetired = errors.New("keys: the key has retired")

	// ErrReason is returned by [Manager.Revoke] for a reason that is not at
	// most 256 bytes of printable UTF-8.
	ErrReason = errors.New("keys: invalid reason")

	// ErrNotAnnounced is returned by [Manager.Revoke] when the key is withdrawn, but
	// the sessions could not be ended a second time: verifiers may accept its tokens
	// until they fetch the JWKS again.
	ErrNotAnnounced = errors.New("keys: the key is withdrawn, but verifiers were not told; end all sessions")

	// ErrTooMany is returned by [Manager.Rotate] when so many keys are published
	// that verifiers might refuse the JWKS.
	ErrTooMany = errors.New("keys: too many published keys")

	// ErrNotReady is returned when there is no key to sign with, or when the
	// store could not be read for so long that the known keys may be out of date.
	ErrNotReady = errors.New("keys: not ready to sign")

	// ErrLifetime is returned by [Manager.Mint] for a token that would outlive
	// its key's place in the JWKS: one that lives longer than Config.AccessLifetime.
	ErrLifetime = errors.New("keys: the token would outlive its key")
)

// TooEarlyError says when a pending key may sign. It is an [ErrTooEarly].
type TooEarlyError struct {
	Until time.Time
}

// Error names the instant in RFC 3339 UTC.
func (e *TooEarlyError) Error() string {
	return fmt.Sprintf("%v: verifiers may not have seen it before %s", ErrTooEarly, e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is [ErrTooEarly].
func (e *TooEarlyError) Is(target error) bool { return target == ErrTooEarly }

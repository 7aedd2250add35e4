package keys

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrConfig is returned by [Open] for an invalid [Config].
	ErrConfig = errors.New("keys: invalid configuration")

	// ErrConflict is returned by a [Store] for a swap from a version that is not the
	// stored one.
	ErrConflict = errors.New("keys: the stored keys were changed by another issuer")

	// ErrWrongSecret is returned when no configured secret opens a stored key.
	ErrWrongSecret = errors.New("keys: no configured secret opens the stored keys")

	// ErrNewerSchema is returned for a stored document that a newer program wrote.
	ErrNewerSchema = errors.New("keys: the stored keys have a newer schema")

	// ErrDocument is returned for a stored document that is damaged, or was changed
	// without the secret.
	ErrDocument = errors.New("keys: the stored keys are damaged")

	// ErrNotFound is returned for an unknown key id.
	ErrNotFound = errors.New("keys: no such key")

	// ErrTooEarly is the sentinel that a [TooEarlyError] matches.
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

	// ErrNotReady is returned when there is no key to sign with, or when the store
	// could not be read for so long that the keys in memory may be out of date.
	ErrNotReady = errors.New("keys: not ready to sign")

	// ErrLifetime is returned by [Manager.Mint] for a token with a longer lifetime
	// than Config.AccessLifetime: its key might leave the JWKS before it expires.
	ErrLifetime = errors.New("keys: the token would outlive its key")
)

// TooEarlyError is returned by [Manager.Promote] for a key that verifiers may not know
// yet. It matches [ErrTooEarly].
type TooEarlyError struct {
	Until time.Time // when the key may sign
}

// Error names the instant in RFC 3339 UTC.
func (e *TooEarlyError) Error() string {
	return fmt.Sprintf("%v: verifiers may not have seen it before %s", ErrTooEarly, e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is [ErrTooEarly].
func (e *TooEarlyError) Is(target error) bool { return target == ErrTooEarly }

package refresh

import (
	"errors"
	"fmt"
)

// The errors of [Keyring.Open] and [Keyring.OpenHandoff].
var (
	// ErrTokenInvalid means that a refresh token is malformed, forged, or sealed under a
	// key that the keyring does not have.
	ErrTokenInvalid = errors.New("refresh token invalid")
	// ErrHandoffInvalid means that a hand-off code is malformed, forged, for another origin,
	// or sealed under a key that the keyring does not have.
	ErrHandoffInvalid = errors.New("hand-off code invalid")
	// ErrForged comes with the errors above if the text is malformed or its tag is wrong, so
	// that it was never issued. A text that names an unknown key is not called forged: it may
	// have been issued under a key that was removed.
	ErrForged = errors.New("forged")
)

var (
	errTokenForged   = fmt.Errorf("%w: %w", ErrTokenInvalid, ErrForged)
	errHandoffForged = fmt.Errorf("%w: %w", ErrHandoffInvalid, ErrForged)
)

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
	// ErrForged comes with the errors above if the tag is wrong, so that the text was made up by
	// somebody who guesses. It also comes with ErrHandoffInvalid if the text is malformed. It does
	// not come with ErrTokenInvalid then: a text without the form of a refresh token is a
	// credential of another system, which an honest browser may still have.
	ErrForged = errors.New("forged")
	// ErrKeyGone comes with ErrTokenInvalid if the keyring does not have the key that the token
	// names: the token may have been issued under one that was removed.
	ErrKeyGone = errors.New("unknown key")
)

var (
	errTokenForged   = fmt.Errorf("%w: %w", ErrTokenInvalid, ErrForged)
	errTokenKeyGone  = fmt.Errorf("%w: %w", ErrTokenInvalid, ErrKeyGone)
	errHandoffForged = fmt.Errorf("%w: %w", ErrHandoffInvalid, ErrForged)
)

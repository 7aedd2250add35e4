package credential

import (
	"errors"

	"issuer.example/jwt"
	"issuer.example/session"
)

// isForgery reports whether a credential was made up by somebody who guesses: it has the form of a token
// of the issuer's, but not its signature. A token that the issuer once gave out, or that cannot be its own
// by its form, is none: an honest browser that still has it, perhaps from another system, must not be slowed
// down.
func isForgery(err error) bool {
	return errors.Is(err, session.ErrForged) || errors.Is(err, jwt.ErrSignature) || errors.Is(err, jwt.ErrKeyMismatch)
}

// isGuess is isForgery for a bearer token of the API, which nobody sends by mistake: a text that is not a
// token at all is a guess, too. A signed token of another system, or for another service, is none.
func isGuess(err error) bool {
	return isForgery(err) || errors.Is(err, jwt.ErrEncoding) || errors.Is(err, jwt.ErrSize)
}

// IsUnverifiable reports whether a token was refused because the issuer does not have the key that it
// names, so that nothing is known of the token: it may be of a live session.
func IsUnverifiable(err error) bool {
	return errors.Is(err, jwt.ErrUnknownKey) || errors.Is(err, session.ErrKeyGone)
}

// isMalformed reports whether a refusal says no more of a token than that it is not valid.
func isMalformed(err error) bool {
	if errors.Is(err, session.ErrRefreshTokenInvalid) || errors.Is(err, session.ErrHandoffInvalid) {
		return true
	}
	return jwt.Cause(err) != "" && !errors.Is(err, jwt.ErrExpired)
}

// IsTerminal reports whether a refresh token was refused for good, so that its cookie is useless.
func IsTerminal(err error) bool {
	for _, end := range []error{
		session.ErrRefreshTokenInvalid, session.ErrRefreshTokenReused, session.ErrRevoked,
		session.ErrExpired, session.ErrIdle, session.ErrBindingMismatch,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// moreSpecific returns which of two refusals says more: that the store failed, then that a session
// has ended, then that a token is not valid.
func moreSpecific(a, b error) error {
	switch {
	case a == nil:
		return b
	case errors.Is(a, session.ErrUnavailable):
		return a
	case errors.Is(b, session.ErrUnavailable) || isMalformed(a):
		return b
	}
	return a
}

package jwt

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// TypeAccessToken is the typ of an access token (RFC 9068 §2.1).
const TypeAccessToken = "at+jwt"

const (
	maxSubject  = 255          // bytes of sub, and of any other string claim
	maxAudience = 16           // entries of aud
	maxAMR      = 16           // entries of amr
	maxTime     = 253402300799 // seconds: the end of the year 9999
)

// Claims are the claims of an access token. Times are whole seconds on the wire. A claim
// whose field is a zero time or an empty string is absent.
type Claims struct {
	// Issuer is iss, the issuer's URL (RFC 7519 §4.1.1).
	Issuer string
	// Subject is sub, the user's id; see [ValidSubject].
	Subject string
	// Audience is aud: the 1 to 16 services that the token is for.
	Audience []string
	// IssuedAt is iat.
	IssuedAt time.Time
	// NotBefore is nbf.
	NotBefore time.Time
	// Expiry is exp: the token is good before it.
	Expiry time.Time
	// AuthTime is auth_time: when the user last authenticated (RFC 9068 §2.2.1).
	AuthTime time.Time
	// ID is jti: it identifies the token.
	ID string
	// SessionID is sid: it identifies the session that the token belongs to.
	SessionID string
	// ClientID is client_id (RFC 8693 §4.3).
	ClientID string
	// ACR is acr, the class of the user's authentication (RFC 9068 §2.2.1).
	ACR string
	// AMR is amr, the methods of the user's authentication (RFC 8176).
	AMR []string
	// Extra holds every other member, as raw JSON. It is nil when there is none.
	Extra map[string]json.RawMessage
}

// ValidSubject returns nil if s can be a user's id: 1 to 255 bytes of UTF-8 without
// control characters and without characters that change the direction of text. Otherwise
// it returns an error that wraps [ErrClaims].
func ValidSubject(s string) error { return validText("sub", s) }

// validText applies the rule of ValidSubject to any string claim.
func validText(claim, s string) error {
	if len(s) == 0 || len(s) > maxSubject {
		return fmt.Errorf("%w: %s has %d bytes, not 1 to %d", ErrClaims, claim, len(s), maxSubject)
	}
	if plainASCII(s) {
		return nil
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w: %s is not UTF-8", ErrClaims, claim)
	}
	if strings.ContainsFunc(s, unsafeRune) {
		return fmt.Errorf("%w: %s has a control character", ErrClaims, claim)
	}
	return nil
}

// plainASCII reports whether s has printable ASCII characters and spaces only.
func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// unsafeRune reports whether r is a control character or changes the direction of text.
func unsafeRune(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// check returns an error for the first malformed claim. Claims may be missing.
func (c *Claims) check() error {
	for _, claim := range [...]struct{ name, text string }{
		{"sub", c.Subject}, {"jti", c.ID}, {"sid", c.SessionID}, {"client_id", c.ClientID}, {"acr", c.ACR},
	} {
		if claim.text == "" {
			continue
		}
		if err := validText(claim.name, claim.text); err != nil {
			return err
		}
	}
	if len(c.AMR) > maxAMR {
		return fmt.Errorf("%w: amr has more than %d entries", ErrClaims, maxAMR)
	}
	for _, method := range c.AMR {
		if err := validText("amr", method); err != nil {
			return err
		}
	}
	return nil
}

// checkRequired returns an error if a claim is missing that every token must have. Of the
// claims of RFC 9068 §2.2, client_id is optional: a session may have begun without a
// client. [Claims.checkIdentity] checks sub and jti.
func (c *Claims) checkRequired() error {
	switch {
	case c.Issuer == "":
		return fmt.Errorf("%w: iss is missing", ErrIssuer)
	case len(c.Audience) == 0:
		return fmt.Errorf("%w: aud is missing", ErrAudience)
	case c.Expiry.IsZero():
		return fmt.Errorf("%w: exp is missing", ErrExpiry)
	case c.IssuedAt.IsZero():
		return fmt.Errorf("%w: iat is missing", ErrIssuedAt)
	}
	return nil
}

// checkIdentity returns an error if a claim is missing that only access tokens must have.
func (c *Claims) checkIdentity() error {
	switch {
	case c.Subject == "":
		return fmt.Errorf("%w: sub is missing", ErrClaims)
	case c.ID == "":
		return fmt.Errorf("%w: jti is missing", ErrClaims)
	}
	return nil
}

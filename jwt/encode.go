package jwt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendClaims appends the payload of an access token to dst, which must be empty.
func appendClaims(dst []byte, c *Claims) ([]byte, error) {
	if err := c.checkMint(); err != nil {
		return nil, err
	}
	dst = appendText(append(dst, '{'), "iss", c.Issuer)
	dst = appendText(dst, "sub", c.Subject)
	dst = appendList(dst, "aud", c.Audience)
	dst = appendText(dst, "client_id", c.ClientID)
	dst = appendTime(dst, "iat", c.IssuedAt)
	dst = appendTime(dst, "nbf", c.NotBefore)
	dst = appendTime(dst, "exp", c.Expiry)
	dst = appendText(dst, "jti", c.ID)
	dst = appendText(dst, "sid", c.SessionID)
	dst = appendTime(dst, "auth_time", c.AuthTime)
	dst = appendText(dst, "acr", c.ACR)
	dst = appendList(dst, "amr", c.AMR)
	if len(c.Extra) == 0 {
		return append(dst, '}'), nil
	}
	return appendExtra(dst, c.Extra)
}

// checkMint returns an error for claims that a verifier would refuse at any time.
func (c *Claims) checkMint() error {
	if err := c.checkRequired(); err != nil {
		return err
	}
	if err := c.checkIdentity(); err != nil {
		return err
	}
	if !utf8.ValidString(c.Issuer) {
		return fmt.Errorf("%w: iss is not UTF-8", ErrIssuer)
	}
	if len(c.Audience) > maxAudience {
		return fmt.Errorf("%w: aud has more than %d entries", ErrAudience, maxAudience)
	}
	for _, name := range c.Audience {
		if name == "" || !utf8.ValidString(name) {
			return fmt.Errorf("%w: aud has an entry that is empty or not UTF-8", ErrAudience)
		}
	}
	if err := c.checkMintTimes(); err != nil {
		return err
	}
	return c.check()
}

// checkMintTimes returns an error if a time can't be written, or exp is not after iat.
func (c *Claims) checkMintTimes() error {
	for _, claim := range [...]struct {
		name     string
		at       time.Time
		sentinel error
	}{
		{"exp", c.Expiry, ErrExpiry},
		{"iat", c.IssuedAt, ErrIssuedAt},
		{"nbf", c.NotBefore, ErrClaims},
		{"auth_time", c.AuthTime, ErrClaims},
	} {
		if claim.at.IsZero() {
			continue
		}
		if seconds := claim.at.Unix(); seconds < 1 || seconds > maxTime {
			return fmt.Errorf("%w: %s is out of range", claim.sentinel, claim.name)
		}
	}
	if c.Expiry.Unix() <= c.IssuedAt.Unix() {
		return fmt.Errorf("%w: exp is not after iat", ErrLifetime)
	}
	return nil
}

// appendExtra appends the other members, sorted by name, and the end of the object.
func appendExtra(dst []byte, extra map[string]json.RawMessage) ([]byte, error) {
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if isClaimField(foldString(name)) {
			return nil, fmt.Errorf("%w: %.32q", ErrRegisteredClaim, name)
		}
		value := extra[name]
		if err := CheckJSON(value, maxDepth-1); err != nil {
			return nil, fmt.Errorf("%w: an extra member: %w", ErrClaims, err)
		}
		dst = appendString(append(dst, ','), name)
		dst = append(append(dst, ':'), value...)
	}
	dst = append(dst, '}')
	// This finds names that are not UTF-8 or differ only in case.
	if _, err := scanObject(string(dst), nil); err != nil {
		return nil, fmt.Errorf("%w: the extra members: %w", ErrClaims, err)
	}
	return dst, nil
}

// appendName appends the comma, the name and the colon of a member.
func appendName(dst []byte, name string) []byte {
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendText(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return appendString(appendName(dst, name), text)
}

func appendTime(dst []byte, name string, at time.Time) []byte {
	if at.IsZero() {
		return dst
	}
	return strconv.AppendInt(appendName(dst, name), at.Unix(), 10)
}

func appendList(dst []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(appendName(dst, name), '[')
	for i, entry := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, entry)
	}
	return append(dst, ']')
}

package guard

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"issuer.example/jwt"
)

// Requirement is what a route requires of a good token. [RequireScope], [RequireFresh],
// [RequireACR] and [WhenStale] make one. The zero Requirement is always met.
type Requirement struct {
	check     func(c *jwt.Claims, now time.Time) bool
	refusal   *unmet
	hasPolicy bool
	policy    Policy
}

// unmet is the error of a requirement that a token does not meet.
type unmet struct {
	err    error
	params string // for the challenge (RFC 6750 §3), to tell the client what to do
}

func (u *unmet) Error() string { return u.err.Error() }
func (u *unmet) Unwrap() error { return u.err }

// verify returns an error if the claims do not meet the requirement.
func (r *Requirement) verify(c *jwt.Claims, now time.Time) error {
	if r.check == nil || r.check(c, now) {
		return nil
	}
	return r.refusal
}

// RequireScope requires each of the scopes. The claim scope holds those of the token, with
// one space between them (RFC 9068 §2.2.3, RFC 6749 §3.3); one that is malformed holds
// none. A token that lacks a scope is refused with [ErrScope]. Each argument is one scope
// token: one with a space in it is in no token.
func RequireScope(scopes ...string) Requirement {
	scopes = slices.Clone(scopes)
	return Requirement{
		check: func(c *jwt.Claims, _ time.Time) bool {
			granted := scopesOf(c)
			return !slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(granted, scope) })
		},
		refusal: &unmet{
			fmt.Errorf("%w: it must have %q", ErrScope, strings.Join(scopes, " ")),
			`, scope=` + quoted(strings.Join(scopes, " ")),
		},
	}
}

// scopesOf returns the scopes of a token.
func scopesOf(c *jwt.Claims) []string {
	var scope string
	if json.Unmarshal(c.Extra["scope"], &scope) != nil || jwt.ValidScope(scope) != nil {
		return nil
	}
	return strings.Split(scope, " ")
}

// RequireFresh requires that auth_time, when the user authenticated, is at most maxAge ago. A
// token with an older auth_time, or without one, is refused with [ErrNotFresh].
func RequireFresh(maxAge time.Duration) Requirement {
	return Requirement{
		check: func(c *jwt.Claims, now time.Time) bool {
			return !c.AuthTime.IsZero() && now.Sub(c.AuthTime) <= maxAge
		},
		refusal: &unmet{
			fmt.Errorf("%w: it must be within %s", ErrNotFresh, maxAge),
			`, max_age=` + strconv.FormatInt(int64(max(maxAge, 0)/time.Second), 10),
		},
	}
}

// RequireACR requires that acr, the class of the user's authentication, is one of the
// classes. A token with another acr, or without one, is refused with [ErrACR].
func RequireACR(classes ...string) Requirement {
	classes = slices.Clone(classes)
	return Requirement{
		check: func(c *jwt.Claims, _ time.Time) bool { return c.ACR != "" && slices.Contains(classes, c.ACR) },
		refusal: &unmet{
			fmt.Errorf("%w: it must be one of %q", ErrACR, classes),
			`, acr_values=` + quoted(strings.Join(classes, " ")),
		},
	}
}

// WhenStale sets the policy of a route in place of [Config].Stale. If there are several, the
// last one counts.
func WhenStale(policy Policy) Requirement { return Requirement{hasPolicy: true, policy: policy} }

func policyOf(requirements []Requirement, policy Policy) Policy {
	for i := range requirements {
		if requirements[i].hasPolicy {
			policy = requirements[i].policy
		}
	}
	return policy
}

// quoted returns a quoted-string for a challenge (RFC 9110 §5.6.4). Characters that RFC 6750
// §3 does not allow there become question marks.
func quoted(s string) string {
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s) + `"`
}
